// Owns the command lines whose requests and output are compared with docker 28.2.2. One case a line.

/** Lines split at spaces; `~` stands for a space inside an argument, FIXTURES for the folder of test files. */
export const CREATE_CASES: readonly string[] = `
busybox
-it busybox
-i busybox cat
-t busybox
-a stdout -a STDIN busybox
busybox echo -n --flag hello
--entrypoint /bin/sh busybox -c true
--entrypoint= busybox
-e A=1 -e B -e A=2 -e EMPTY= busybox
--env-file FIXTURES/vars.env -e LAST=1 busybox
--label-file FIXTURES/labels.txt -l a=b -l plain busybox
-l a=1 -l a=2 busybox
-v /host:/in -v /host2:/in2:ro -v name:/vol -v /anonymous busybox
-v ./rel:/rel -v ../up:/up:z busybox
--tmpfs /run --tmpfs /tmp:size=1m,mode=1777 busybox
--mount type=bind,source=/a,target=/b,readonly busybox
--mount type=bind,src=./rel,dst=/b,bind-propagation=rslave busybox
--mount type=bind,src=/a,dst=/b,ro,bind-recursive=writable busybox
--mount type=bind,src=/a,dst=/b,bind-nonrecursive busybox
--mount type=volume,src=v,dst=/d,volume-nocopy,volume-label=a=b,volume-driver=local,volume-opt=type=nfs,volume-opt=o=addr busybox
--mount type=volume,src=v,dst=/d,volume-subpath=sub busybox
--mount type=tmpfs,dst=/t,tmpfs-size=64m,tmpfs-mode=1770 busybox
--mount type=image,src=busybox,dst=/i busybox
--mount source=v,target=/d busybox
-p 80 -p 8080:80 -p 127.0.0.1:8443:443 -p 53:53/udp busybox
-p 8000-8002:80-82 -p 9000-9010:90 busybox
-p 127.0.0.1::80 -p [::1]:8080:80 busybox
-p published=8080,target=80,protocol=tcp busybox
-p target=81,published=8081 busybox
-P --expose 99 --expose 100-102/udp busybox
--name x --hostname h --domainname d -u 1000:1000 -w /w busybox
--network host busybox
--network none busybox
--network mynet busybox
--network default busybox
--network name=mynet busybox
--mac-address 02:42:ac:11:00:02 --network host busybox
--network bridge busybox
--network container:abc busybox
--network mynet --network-alias a --network-alias b --ip 10.0.0.5 --ip6 fd00::5 busybox
--network name=mynet,alias=a,alias=b,ip=10.0.0.5,driver-opt=k=v,mac-address=02:42:ac:11:00:02,gw-priority=5 busybox
--network one --network two busybox
--network mynet --link other:alias --link-local-ip 169.254.1.1 busybox
--link other busybox
--net mynet --net-alias z busybox
--mac-address 02:42:ac:11:00:02 busybox
--mac-address 02:42:ac:11:00:02 --network mynet busybox
-m 512m --memory-reservation 256m --memory-swap 1g --memory-swappiness 10 busybox
-m 1.5g --memory-swap -1 busybox
--kernel-memory 8m busybox
--cpus 1.5 --cpu-shares 512 --cpu-period 100000 --cpu-quota 50000 --cpuset-cpus 0-1 --cpuset-mems 0 busybox
-c 2 --cpu-rt-period 1000 --cpu-rt-runtime 500 busybox
--cpu-count 2 --cpu-percent 50 --io-maxiops 10 --io-maxbandwidth 1m busybox
--blkio-weight 300 --blkio-weight-device /dev/sda:200 busybox
--device-read-bps /dev/sda:1mb --device-write-bps /dev/sda:2m --device-read-iops /dev/sda:100 --device-write-iops /dev/sda:200 busybox
--device /dev/null --device /dev/zero:/dev/nothing:r --device /dev/full:rw busybox
--device-cgroup-rule c~1:3~rwm busybox
--gpus all busybox
--device vendor.com/gpu=0 --gpus 1 --device /dev/null --device vendor_x/c.d=A_b.c:d-e busybox
--device vendor.com/gpu= busybox
--gpus 2 busybox
--gpus device=0 busybox
--gpus driver=nvidia,count=1,capabilities=compute busybox
--ulimit nofile=1024:2048 --ulimit core=0 --ulimit nproc=10 busybox
--pids-limit 100 --oom-score-adj 500 busybox
-m 64m --oom-kill-disable busybox
--shm-size 128m busybox
--restart always busybox
--restart on-failure:5 busybox
--restart unless-stopped busybox
--restart no --rm busybox
--health-cmd true --health-interval 5s --health-timeout 2s --health-retries 3 --health-start-period 1m --health-start-interval 1s busybox
--health-interval 1m30s busybox
--no-healthcheck busybox
--log-driver json-file --log-opt max-size=10m --log-opt max-file=3 busybox
--log-driver none busybox
--security-opt no-new-privileges --security-opt label=disable busybox
--security-opt seccomp=unconfined --security-opt apparmor:unconfined busybox
--security-opt seccomp=FIXTURES/seccomp.json busybox
--security-opt systempaths=unconfined busybox
--cap-add all --cap-drop net_raw busybox
--cap-add NET_ADMIN --cap-add SYS_TIME --cap-drop ALL --privileged busybox
--dns 8.8.8.8 --dns-search example.com --dns-opt ndots:2 --dns-option timeout:1 busybox
--add-host a:1.2.3.4 --add-host b=::1 --add-host c:host-gateway --add-host d:[::2] busybox
--sysctl net.ipv4.ip_forward=1 --sysctl kernel.msgmax=65536 busybox
--annotation a=b --annotation c busybox
--pid host --ipc shareable --uts host --userns host --cgroupns private busybox
--pid container:x --ipc container:x busybox
--cgroup-parent /p --runtime runc --isolation default busybox
--init busybox
--init=false busybox
--read-only --group-add 10 --group-add audio --volumes-from a --volumes-from b:ro busybox
--volume-driver local --storage-opt size=10G busybox
--stop-signal INT --stop-timeout 7 busybox
--stop-timeout 0 busybox
--platform linux/arm64 busybox
--platform linux/arm64/v8 busybox
-itP --rm=false --tty=false busybox
--sig-proxy=false --detach-keys ctrl-x busybox
--disable-content-trust=false --disable-content-trust busybox
-- busybox --help
sha256:ae159405235f98a820194d28a0056d66690cc5cabc475fe64ff9b1e1b258f7d6
registry.example.com:5000/a/b:c
`
  .trim()
  .split('\n');

/** Whole command lines: requests, output and exit code are compared. */
export const COMMAND_CASES: readonly string[] = `
run busybox
run -d busybox
run --rm busybox
run -i --rm busybox
run -a stdin busybox
run --cidfile /nowhere/file busybox
run nosuchimage
run --pull never nosuchimage
run --pull always busybox
run --pull foo busybox
run -q nosuchimage
create busybox
exec c1 ls
exec -d c1 ls
exec -e A=b -w /w -u me --privileged c1 ls -l --all
ps
ps -a
ps -aq
ps -a --no-trunc
ps -as
ps -n 3 -f label=x -f label=y -f status=running
ps -l
ps --format json
ps --format {{.Names}}~{{.Label~"a"}}~{{.Size}}
ps --format table~{{.ID}}\\t{{.Names}}\\t{{.Ports}}
ps --format table~{{lower~.Names}}
ps --format raw
ps --format {{.Foo}}
ps --format {{
ps foo
ps --foo
ps -zq
ps --last
ps --last x
images
images -q
images -a
images --digests
images --no-trunc
images --format json
images busy*
images -f dangling=true -f label=a
inspect c1
inspect c1 nosuch
inspect -s c1
inspect -f {{.Name}} c1
inspect -f {{.Foo}} c1
inspect -f {{range~.Config.Env}}{{.}};{{end}}{{json~.State}} c1
inspect --type image busybox
inspect busybox
inspect bridge
inspect nosuch
image inspect busybox
network inspect bridge
network ls
network ls -q
network ls --format json
volume ls
volume ls --format {{.Name}}={{.Driver}}
volume inspect v1
volume create
volume create -d d -o a=b --label c=d n
volume rm v1 v2
volume rm -f v1
stop c1
stop -t 3 -s INT c1 c2
restart -t 3 c1
kill c1
kill -s 9 c1
pause c1
unpause c1
rename c1 c9
rm -fv c1
rm -l c1
rm nosuch c1
rm -f nosuch
wait c1
start c1
start -a c1
start nosuch
attach c1
logs c1
logs -f -n 3 -t --details c1
logs --until 2024-01-01T00:00:00Z c1
logs --since bad c1
port c1
port c1 80
port c1 99
top c1
top c1 -o pid
rmi busybox
rmi -f a b:c
tag a b
tag a REG:x
pull busybox
pull -a busybox
pull -q busybox
pull --platform linux/arm64 busybox
pull registry.example.com:5000/x@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
pull busybox:failing
load -i FIXTURES/vars.env
load -q -i FIXTURES/vars.env
import FIXTURES/vars.env a:b
import -m msg -c CMD~x http://example.com/x.tar
container prune -f
container prune -f --filter until=1h
image prune -f
image prune -fa --filter until=1h
events --since 5 --until 6 -f type=container
events --since 5 --until 6 --format {{json~.}}
events --since 5 --until 6 --format {{.Action}}~{{.Actor.Attributes.name}}
info --format {{.ServerVersion}}~{{.Name}}
info --format {{.Foo}}
version --format {{.Server.Version}}
version --format {{.Foo}}
login -u me -p secret registry.example.com
login -p x
logout registry.example.com
context ls -q
context show
run
run --foo
run -m abc busybox
run --mount foo busybox
run --restart always --rm busybox
run -d -a stdin busybox
run -p x busybox
run UPPER
exec c1
foo
volume foo
`
  .trim()
  .split('\n');

/** The arguments of a case. */
export function argvOf(line: string, fixtures: string): string[] {
  return line
    .split(' ')
    .map((word) => word.replaceAll('~', ' ').replaceAll('FIXTURES', fixtures).replaceAll('\\\\', '\\'));
}
