// Owns the create bodies that ask for logs.

import { type BodyCase, host } from '../types.ts';

const json = (Config: Record<string, string>) => host({ LogConfig: { Type: 'json-file', Config } }, { start: true });

export const LOGS: readonly BodyCase[] = [
  {
    name: 'log options that cannot be honoured are refused',
    tries: [
      host({ LogConfig: { Type: 'nope' } }),
      json({ nope: '1' }),
      ...['-1', 'x', '0', '', '1x', '99999999999999999999g'].map((size) => json({ 'max-size': size })),
      ...['0', '-1', 'x', '1.5', '99999999999999999999'].map((count) => json({ 'max-file': count })),
      ...['x', ''].map((compress) => json({ compress })),
      json({ compress: 'true', 'max-size': '1m', 'max-file': '1' }),
      json({ mode: 'bogus' }),
      json({ mode: 'blocking', 'max-buffer-size': '4m' }),
      json({ 'max-buffer-size': '4m' }),
      ...['x', '-1'].map((size) => json({ mode: 'non-blocking', 'max-buffer-size': size })),
      ...['{{.Nope}}', 'a{{.Nope}}', '{{', '{{.Name}}{{'].map((tag) => json({ tag })),
      json({ 'cache-disabled': 'bogus' }),
    ],
  },
  {
    name: 'log options that Docker takes are taken',
    tries: [
      ...['1.5m', '1 kb', '1KiB', '1p', '10'].map((size) => json({ 'max-size': size })),
      json({ 'max-file': '2', 'max-size': '1m', compress: 'true' }),
      json({ mode: 'blocking' }),
      json({ tag: '{{.Name}}/{{.ImageID}}' }),
      json({ 'cache-disabled': 'true', 'cache-max-size': 'x' }),
    ],
  },
];
