// Owns a container's life after `run`: start, stop, kill, pause, wait, rename, remove, and what is seen of it.

import type { Case } from './types.ts';

const IDLE = 'docker run -d --name $N gtbox sleep 1000';
const TRAP = (signal: string) => `sh -c 'trap "echo got ${signal}; exit 7" ${signal}; while :; do sleep 0.1; done'`;

export const LIFE: readonly Case[] = [
  {
    name: 'create, start, and start attached',
    steps: [
      'docker create --name $N gtbox sh -c "echo one; exit 6"',
      'docker start $N',
      'docker wait $N',
      'docker start -a $N',
      'docker logs $N',
    ],
  },
  {
    name: 'start attached with input',
    steps: ['docker create -i --name $N gtbox cat', 'echo typed | docker start -ai $N'],
  },
  {
    name: 'stop sends the stop signal, then kills',
    steps: [
      `docker run -d --name $N gtbox ${TRAP('TERM')}`,
      'sleep 0.3; docker stop $N',
      "docker inspect -f '{{.State.ExitCode}} {{.State.Status}} {{.State.Running}}' $N",
      'docker logs $N',
      'docker run -d --name $N-deaf gtbox sleep 1000',
      'docker stop -t 0 $N-deaf',
      "docker inspect -f '{{.State.ExitCode}}' $N-deaf",
      'docker stop $N-deaf',
    ],
  },
  {
    name: 'a stop signal of its own',
    steps: [
      `docker run -d --name $N --stop-signal USR1 --stop-timeout 5 gtbox ${TRAP('USR1')}`,
      'sleep 0.3; docker stop $N',
      'docker wait $N',
      'docker logs $N',
      "docker inspect -f '{{.Config.StopSignal}} {{.Config.StopTimeout}}' $N",
    ],
  },
  {
    name: 'kill sends any signal',
    steps: [
      `docker run -d --name $N gtbox ${TRAP('HUP')}`,
      'sleep 0.3; docker kill -s HUP $N',
      'docker wait $N',
      'docker kill $N',
      'docker kill -s NOSUCH $N',
      'docker start $N',
      'docker kill $N',
      'docker wait $N',
      'docker kill nosuch',
    ],
  },
  {
    name: 'restart runs it anew',
    steps: [
      `docker run --name $N gtbox sh -c 'echo run; sleep 0'`,
      'docker restart $N',
      'docker wait $N',
      'docker logs $N',
      'docker restart nosuch',
    ],
  },
  {
    name: 'pause freezes, unpause thaws',
    steps: [
      IDLE,
      'docker pause $N',
      "docker inspect -f '{{.State.Status}} {{.State.Paused}} {{.State.Running}}' $N",
      'docker pause $N',
      'docker exec $N true',
      'docker unpause $N',
      'docker unpause $N',
      'docker exec $N echo thawed',
      'docker stop -t 0 $N',
      'docker pause $N',
    ],
  },
  {
    name: 'wait answers at once for what has ended',
    steps: ['docker run --name $N gtbox sh -c "exit 4"', 'docker wait $N', 'docker wait nosuch'],
  },
  {
    name: 'rename keeps the container',
    steps: [
      'docker create --name $N gtbox',
      'docker rename $N $N-new',
      "docker inspect -f '{{.Name}}' $N-new",
      'docker inspect $N',
      'docker create --name $N-other gtbox',
      'docker rename $N-new $N-other',
      'docker rename $N-new $N-new',
      "docker rename $N-new 'bad name'",
    ],
  },
  {
    name: 'rm refuses what runs, unless forced',
    steps: [IDLE, 'docker rm $N', 'docker rm -f $N', 'docker rm $N', 'docker rm -f nosuch', 'docker rm nosuch'],
  },
  {
    name: 'ps lists by filter, in every form',
    steps: [
      'docker run -d --name $N-a -l gt=$N gtbox sleep 1000',
      'docker create --name $N-b -l gt=$N gtbox echo a long command line that is cut in the table',
      'docker run --name $N-c -l gt=$N gtbox false',
      'docker ps -a -f label=gt=$N',
      "docker ps -a -f label=gt=$N --format '{{.Names}} {{.Status}} {{.Image}} {{.Command}} {{.State}}'",
      'docker ps -q -f label=gt=$N | wc -l',
      'docker ps -aq -f label=gt=$N -f status=created | wc -l',
      "docker ps -a -f label=gt=$N -f exited=1 --format '{{.Names}}'",
      "docker ps -a -f label=gt=$N --no-trunc --format '{{.Command}}'",
      "docker ps -a -n 1 --format 'table {{.Names}}\\t{{.Networks}}' -f label=gt=$N",
      'docker ps -a -f label=gt=$N --format json | grep -c Names',
      'docker ps -f nosuch=1',
      "docker ps --format '{{.Nosuch}}' -f label=gt=$N",
    ],
  },
  {
    name: 'inspect answers for what exists',
    steps: [
      'docker create --name $N -e A=b -w /tmp --entrypoint echo gtbox x y',
      "docker inspect -f '{{.Path}} {{json .Args}} {{.Config.WorkingDir}} {{json .Config.Cmd}} {{json .Config.Entrypoint}} {{.State.Status}} {{.Driver}} {{.Platform}}' $N",
      "docker inspect -f '{{.HostConfig.NetworkMode}} {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.LogConfig.Type}} {{.HostConfig.ShmSize}} {{.HostConfig.IpcMode}}' $N",
      'docker inspect --type image $N',
      'docker inspect nosuch',
      "docker inspect -f '{{.Nosuch}}' $N",
      "docker inspect --size -f '{{.SizeRw}}' $N",
    ],
  },
  {
    name: 'top shows the processes',
    steps: [
      'docker run -d --name $N gtbox sleep 1234',
      'docker top $N -o pid,args | sed "s/^ *[0-9]* *//"',
      'docker top $N | head -1 | tr -s " "',
      'docker stop -t 0 $N',
      'docker top $N',
    ],
  },
  {
    name: 'events tell a life',
    steps: [
      'docker run --name $N gtbox true; sleep 1.5',
      "docker events --since 20s --until 0s -f container=$N --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}}'",
      "docker events --since 20s --until 0s -f container=$N -f event=die --format '{{json .Action}}'",
      "docker rm $N; sleep 1.5; docker events --since 5s --until 0s -f container=$N --format '{{.Action}}' | tail -1",
    ],
  },
  {
    name: 'a container changes its own files, never the image',
    steps: [
      'docker run --name $N gtbox sh -c "echo changed > /etc/passwd; rm -r /home"',
      'docker run --rm gtbox sh -c "head -1 /etc/passwd; ls -d /home"',
    ],
  },
  {
    name: 'ambiguous and unknown ids',
    steps: [
      'docker start nosuch',
      'docker stop nosuch',
      'docker logs nosuch',
      'docker exec nosuch true',
      'docker attach nosuch',
    ],
  },
];
