// Owns logs, attach and exec.

import type { Case } from './types.ts';

export const STREAMS: readonly Case[] = [
  {
    name: 'logs: whole, tail, both streams',
    steps: [
      'docker run --name $N gtbox sh -c "for i in 1 2 3 4 5; do echo line \\$i; done; sleep 0.5; echo bad >&2" >/dev/null 2>&1',
      'docker logs $N 2>/dev/null',
      'docker logs $N 2>&1 >/dev/null',
      'docker logs --tail 2 $N 2>/dev/null',
      'docker logs -n 0 $N',
      'docker logs --tail all $N 2>/dev/null | wc -l',
      'docker logs --tail x $N 2>/dev/null | wc -l',
      'docker logs -t $N 2>/dev/null',
      'docker logs --since 2000-01-01 --until 2001-01-01 $N',
      'docker logs --since 1h $N 2>/dev/null | wc -l',
      'docker logs --since nonsense $N',
    ],
  },
  {
    name: 'logs -f follows to the end',
    steps: [
      'docker run -d --name $N gtbox sh -c "for i in 1 2 3; do echo \\$i; sleep 0.2; done"',
      'docker logs -f $N',
      'docker logs -f --tail 1 $N',
    ],
  },
  {
    name: 'logs: long lines, no newline at the end, binary',
    steps: [
      `docker run --name $N gtbox sh -c 'head -c 40000 /dev/zero | tr "\\0" x; echo; printf end' | md5sum`,
      'docker logs $N | md5sum',
      'docker logs $N | tail -c 3',
      'docker run --name $N-b gtbox printf "\\303\\251 ok\\n"',
      'docker logs $N-b',
    ],
  },
  {
    name: 'logs: details and attributes',
    steps: [
      'docker run --name $N --log-opt labels=a --log-opt env=E -l a=1 -e E=2 gtbox echo x',
      'docker logs --details $N',
    ],
  },
  { name: 'no log driver, no logs', steps: ['docker run --name $N --log-driver none gtbox echo x', 'docker logs $N'] },
  {
    name: 'attach sees the output and the exit code',
    steps: [
      'docker run -d --name $N gtbox sh -c "sleep 2; echo later; exit 3"',
      'docker attach $N',
      'docker attach $N',
    ],
  },
  {
    name: 'attach feeds the input',
    steps: [
      'docker run -d -i --name $N gtbox sh -c "read x; echo got \\$x"',
      '(echo word; sleep 2) | docker attach $N',
    ],
  },
  {
    name: 'exec: output, codes, input',
    steps: [
      'docker run -d --name $N gtbox sleep 1000',
      "docker exec $N sh -c 'echo out; echo err >&2; exit 9'",
      'echo in | docker exec -i $N cat',
      'docker exec $N nosuch',
      'docker exec $N /etc',
      'docker exec -e A=1 -w /tmp -u nobody $N sh -c "echo \\$A; pwd; id -u"',
      'docker exec -w /nosuch $N pwd',
      'docker exec -u nosuch $N true',
      'docker exec -d $N touch /made; sleep 0.5; docker exec $N ls /made',
      'docker exec $N sh -c "kill -9 \\$\\$"',
      'docker exec --privileged $N grep CapEff /proc/self/status | grep -c 1ff',
      'docker exec $N grep CapEff /proc/self/status',
      'script -qec "$GT_CLI exec -t $N tty" /dev/null </dev/null',
      'docker exec $N',
      'docker stop -t 0 $N',
      'docker exec $N true',
    ],
  },
  {
    name: 'exec joins the container that it is in',
    steps: [
      'docker run -d --name $N -h boxname -e FROM=run gtbox sleep 1000',
      'docker exec $N hostname',
      'docker exec $N sh -c "echo \\$FROM"',
      'docker exec $N sh -c "echo 1 > /file"; docker exec $N cat /file',
    ],
  },
];
