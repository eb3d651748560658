// stub
export async function loginToRegistry(..._a: unknown[]): Promise<never> {
  throw new Error('not yet');
}
