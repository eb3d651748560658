// Owns `npm run storm`: long storms on this machine, and their figures. Takes minutes to an hour.
//
//   STORM_KILLS=200 STORM_FLEET=4 STORM_CLIENTS=4 npm run storm

import { killStorm } from './kills.ts';

const number = (name: string, fallback: number): number => Number(process.env[name] ?? fallback);
const kills = number('STORM_KILLS', 200);
const fleet = number('STORM_FLEET', 4);
const clients = number('STORM_CLIENTS', 4);

const beganMs = performance.now();
const { lives, cut, startsMs } = await killStorm({ kills, fleet, clients });
const sorted = startsMs.toSorted((a, b) => a - b);
const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(0);
process.stdout.write(
  `${kills} kills, a fleet of ${3 * fleet + 2}, ${clients} clients, ${((performance.now() - beganMs) / 1000).toFixed(0)} s: nothing lost, nothing left\n` +
    `${lives} lives of containers, ${cut} calls cut off; start to first answer: median ${at(0.5)} ms, 95% ${at(0.95)} ms, longest ${at(1)} ms\n`,
);
