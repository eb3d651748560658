// Owns what `docker run` does with its options and answers.

import type { Case } from './types.ts';

const once = (options: string, command: string) => `docker run --rm ${options} gtbox ${command}`;

export const RUN: readonly Case[] = [
  {
    name: 'output and exit code come back',
    steps: [once('', 'echo hello'), once('', "sh -c 'echo out; echo err >&2; exit 3'")],
  },
  { name: "the image's command is the default", steps: ["echo 'echo from sh' | docker run --rm -i gtbox"] },
  {
    name: 'a command that is missing ends with 127, one that cannot run with 126',
    steps: [once('', 'nosuch'), once('', '/no/such/file'), once('', '/etc'), once('', '/etc/passwd')],
  },
  {
    name: 'a bad flag or image ends with 125',
    steps: [once('--nosuchflag', 'true'), 'docker run --pull never nosuch:image true'],
  },
  {
    name: 'a detached container is waited for',
    steps: ['docker run -d --name $N gtbox sh -c "exit 5"', 'docker wait $N'],
  },
  {
    name: 'environment comes from flags, files and the caller',
    steps: [
      `${once('-e A=1 -e B="two words" -e PATH=/usr/bin:/bin', 'env')} | grep -v ^HOSTNAME | sort`,
      `X=passed ${once('-e X -e NOTSET', 'env')} | grep -E '^(X|NOTSET)' ; true`,
      `printf '# comment\\nF=1\\n\\nG=a b\\n' > file; ${once('--env-file file', 'env')} | grep -E '^[FG]='`,
      once('--env-file missing', 'true'),
    ],
  },
  { name: 'the working directory is made', steps: [once('-w /a/b', 'pwd'), once('-w rel', 'pwd')] },
  {
    name: 'the user is resolved in the image',
    steps: [
      once('-u nobody', 'id'),
      once('-u 1000:1000', 'id'),
      once('-u 33', 'id'),
      once('-u www-data:daemon', 'id'),
      once('-u 0 --group-add 5 --group-add daemon', 'id'),
      once('-u nosuch', 'id'),
      once('-u 0:nosuch', 'id'),
      once('-u nobody', "sh -c 'echo $HOME'"),
    ],
  },
  {
    name: 'the entry point is replaced and emptied',
    steps: [
      once('--entrypoint echo', 'a b'),
      once("--entrypoint ''", 'echo x'),
      "docker run --rm --entrypoint '' gtbox",
    ],
  },
  {
    name: 'host name and hosts file',
    steps: [
      once('-h box.example.org', 'hostname'),
      `${once('-h box.example.org --add-host db:10.1.2.3', 'cat /etc/hosts')} | grep -v '^[0-9.]*\tbox'`,
      once('--domainname example.org -h box', 'cat /proc/sys/kernel/domainname'),
      `docker run --rm --dns 9.9.9.9 --dns-search example.org --dns-option ndots:3 gtbox cat /etc/resolv.conf | grep -v '^#'`,
    ],
  },
  {
    name: 'labels, from flags and files',
    steps: [
      'printf "f=1\\n" > labels; docker create --name $N -l a=b -l c --label-file labels gtbox',
      "docker inspect -f '{{json .Config.Labels}}' $N",
    ],
  },
  {
    name: 'a read-only root keeps its writable places',
    steps: [
      once('--read-only', "sh -c 'touch /x; touch /dev/shm/x && echo shm'"),
      once('--read-only --tmpfs /tmp', "sh -c 'touch /tmp/x && echo tmp'"),
      once('--tmpfs /t:size=1m,mode=700', 'sh -c \'stat -c %a /t; df -k /t | tail -1 | awk "{print \\$2}"\''),
    ],
  },
  {
    name: 'limits are kept and enforced',
    steps: [
      'docker create --name $N -m 64m --cpus 0.5 --pids-limit 20 --cpu-shares 512 --cpuset-cpus 0 gtbox',
      "docker inspect -f '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}} {{.HostConfig.CpuShares}} {{.HostConfig.CpusetCpus}}' $N",
      'docker run --name $N-oom -m 16m gtbox tail /dev/zero',
      "docker inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}}' $N-oom",
      once('--cpuset-cpus 0', 'nproc'),
      once('-m 1m', 'true'),
      once('--ulimit nofile=100:200', "sh -c 'ulimit -n; ulimit -Hn'"),
    ],
  },
  {
    name: 'a limit of processes stops a fork bomb',
    steps: [
      once(
        '--pids-limit 4',
        "sh -c 'sleep 1 & sleep 1 & sleep 1 & sleep 1 & sleep 1 & wait' 2>&1 | grep -o 't fork.*'",
      ),
    ],
  },
  {
    name: 'capabilities are as tight as asked',
    steps: [
      once('', 'grep Cap /proc/self/status'),
      once('--cap-add NET_ADMIN --cap-add sys_time', 'grep CapEff /proc/self/status'),
      once('--cap-drop ALL', 'grep Cap /proc/self/status'),
      once('--cap-drop ALL --cap-add CHOWN', 'grep CapEff /proc/self/status'),
      once('-u nobody', 'grep Cap /proc/self/status'),
      once('--cap-add NOSUCH', 'true'),
      `${once('--privileged', 'grep CapEff /proc/self/status')} | grep -c 1ff`,
    ],
  },
  {
    name: 'the kernel is fenced off by default',
    steps: [
      once('', "grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status"),
      once('--security-opt seccomp=unconfined', "grep -E '^Seccomp:' /proc/self/status"),
      once('--security-opt no-new-privileges', 'grep NoNewPrivs /proc/self/status'),
      once(
        '',
        "sh -c 'cat /proc/kcore | wc -c; ls /proc/acpi /sys/firmware | wc -l; echo 1 > /proc/sys/kernel/domainname'",
      ),
      once('', "sh -c 'mount -t tmpfs none /mnt; unshare -m true; date -s 2000-01-01 >/dev/null'"),
      once('--privileged', "sh -c 'mount -t tmpfs none /tmp && echo mounted'"),
      `${once('', 'ls /dev')} | grep -v core`,
      once('--sysctl net.ipv4.ip_unprivileged_port_start=77', 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start'),
    ],
  },
  {
    name: 'an init process takes the first pid and passes signals on',
    steps: [
      once('--init', "sh -c 'test $$ -ne 1 && echo not the first; exit 4'"),
      'docker run -d --init --name $N gtbox sleep 1000',
      'docker stop $N',
      "docker inspect -f '{{.State.ExitCode}}' $N",
    ],
  },
  {
    name: 'standard input reaches the process, bytes and end',
    steps: [
      'echo hi | docker run --rm -i gtbox cat',
      'head -c 300000 /dev/zero | docker run --rm -i gtbox wc -c',
      "printf '\\377\\000\\001\\r\\n' | docker run --rm -i gtbox od -An -tx1",
      'echo lost | docker run --rm gtbox cat',
      "docker run --rm gtbox printf '\\377\\000\\001' | od -An -tx1",
    ],
  },
  {
    name: 'a terminal is one',
    steps: [
      'script -qec "$GT_CLI run --rm -t gtbox tty" /dev/null </dev/null',
      'script -qec "$GT_CLI run --rm -t gtbox sh -c \'test -t 1 && echo is a terminal; exit 9\'" /dev/null </dev/null',
      'docker run --rm -t gtbox echo line | od -c | head -1',
      'echo x | docker run --rm -it gtbox cat',
    ],
  },
  {
    name: 'networks none and host, and another container’s',
    steps: [
      once('--network none', 'ls /sys/class/net'),
      'docker run -d --name $N --network none -h peer gtbox sleep 1000',
      once('--network container:$N', 'hostname'),
      once('--network container:$N -p 80:80', 'true'),
      once('--network container:$N -h other', 'true'),
      once('--network nosuch', 'true'),
      'docker rm -f $N',
    ],
  },
  {
    name: 'volumes: binds, named, anonymous, read-only',
    steps: [
      'docker run --rm -v /tmp/$N:/m gtbox sh -c "echo data > /m/f"',
      'docker run --rm -v /tmp/$N:/m:ro gtbox sh -c "cat /m/f; echo x > /m/f"',
      'docker run --rm --mount type=bind,src=/tmp/$N/f,dst=/f,readonly gtbox cat /f',
      'docker run --rm --mount type=bind,src=/tmp/$N/missing,dst=/m gtbox true',
      'docker run --rm -v /tmp:/t gtbox rm -r /t/$N',
      'docker run --rm -v $N:/v gtbox sh -c "echo kept > /v/x"; docker run --rm -v $N:/v gtbox cat /v/x',
      'docker volume ls -q -f name=$N',
      'docker volume rm $N',
      'docker run --rm -v rel/path:/v gtbox true',
      'docker run --rm -v /a gtbox sh -c "mount | grep -c \' /a \'"',
    ],
  },
  {
    name: 'names: taken, malformed',
    steps: [
      'docker create --name $N gtbox',
      'docker create --name $N gtbox',
      "docker create --name 'bad name' gtbox",
      'docker run --name $N gtbox',
    ],
  },
  {
    name: 'a container that removes itself is gone',
    steps: ['docker run -d --rm --name $N gtbox sleep 1000', 'docker stop -t 0 $N', 'sleep 0.5; docker inspect $N'],
  },
  {
    name: 'a restart policy restarts',
    steps: [
      'docker run -d --name $N --restart on-failure:2 gtbox false',
      'for i in $(seq 50); do [ "$(docker inspect -f "{{.RestartCount}} {{.State.Status}}" $N)" = "2 exited" ] && break; sleep 0.2; done',
      "docker inspect -f '{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}' $N",
      'docker run --rm --restart always gtbox true',
    ],
  },
  {
    name: 'published ports are shown',
    steps: [
      'docker create --name $N -p 127.0.0.1:48080:80 -p 48081:81/udp --expose 82 gtbox',
      "docker inspect -f '{{json .HostConfig.PortBindings}} {{json .Config.ExposedPorts}}' $N",
      'docker run -d --name $N-r -p 127.0.0.1::80 gtbox sleep 1000',
      'docker port $N-r',
      'docker port $N-r 80',
      'docker port $N-r 99',
      "docker ps -f name=$N-r --format '{{.Ports}}'",
      'docker run --rm -p 99999:80 gtbox true',
      'docker run --rm -p nonsense gtbox true',
    ],
  },
];
