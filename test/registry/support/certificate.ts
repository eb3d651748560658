// Owns making certificates for tests: self-signed, for one address.

import { join } from 'node:path';
import { must } from '../../support/commands.ts';

/** Files of a new certificate and its key, named `name`. */
export async function certificate(
  folder: string,
  name: string,
  address = '127.0.0.1',
): Promise<{ cert: string; key: string }> {
  const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=IP:${address}`];
  await must('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', cert, ...subject]);
  return { cert, key };
}
