// stub
export async function pullImage(..._a: unknown[]): Promise<never> {
  throw new Error('not yet');
}
