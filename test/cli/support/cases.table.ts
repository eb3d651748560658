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
ps -q --format json
ps -q --format table
ps -aq --no-trunc
ps --no-trunc --format {{.ID}}
ps --filter foo
ps --filter foo=bar
ps --filter =x
ps -f status=running -f status=exited -f name=a
ps --last 0
ps -n -1
ps -n 2 -l
ps -l -n 5
ps -as --format json
ps --format json -s
ps --format {{.Size}}
ps --size --format {{.Size}}
ps -a --format table
ps --format=
ps --format json --no-trunc
images -q --format json
images -q --format {{.ID}}
images --quiet --no-trunc
images --format {{.Digest}}
images --digests --format json
images --digests -q
images busybox:latest
images a b
images -f reference=busy* -f dangling=false
images --filter foo
images -a --no-trunc --digests
images --format table~{{.Repository}}\\t{{.CreatedSince}}
volume ls -q
volume ls -q --format json
volume ls -f dangling=true
volume ls --filter x
volume ls --format table
network ls -q --no-trunc
network ls --no-trunc
network ls -q --format json
network ls -f driver=bridge
network ls --filter x
context ls
context ls --format json
context ls --format table~{{.Name}}
context ls -q --format json
context inspect default
context inspect nosuch
context inspect default nosuch
context inspect -f json default
context use nosuch
context use default
inspect -f json c1
inspect --format json c1 busybox
inspect --format json nosuch
inspect --format table c1
inspect --type container c1
inspect --type container busybox
inspect --type volume v1
inspect --type network bridge
inspect --type foo c1
inspect --type= c1
inspect --type image -s busybox
inspect -s busybox
inspect -f {{.Name}} c1 nosuch
inspect -f {{.Foo}} c1 nosuch
inspect -f {{.Id}} c1 busybox bridge v1
image inspect -f json busybox
image inspect nosuch
image inspect busybox nosuch
image inspect --platform linux/amd64 busybox
image inspect --platform bad/bad/bad/bad busybox
network inspect -f json bridge
network inspect nosuch
network inspect -v bridge
volume inspect nosuch
volume inspect v1 nosuch
volume inspect -f {{.Name}} v1 nosuch
volume inspect -f json v1
container inspect c1
container inspect -s c1
container inspect nosuch
container inspect busybox
container inspect -f {{.Name}} c1
logs nosuch
logs --tail 5 c1
logs -n bad c1
logs -n -5 c1
logs --since 2024-01-01 c1
logs --since 2024-01-01T00:00:00 c1
logs --since 1700000000.5 c1
logs -f --since= c1
logs c1 c2
logs --details c1
stop nosuch
stop c1 nosuch c2
stop -t -1 c1
stop -t x c1
stop --time 5 c1
stop -s KILL c1
restart --time 5 c1
restart -s INT c1
kill -s bad c1
kill nosuch c1
pause nosuch
unpause nosuch c1
rm c1 nosuch
rm -f nosuch c1
rm -v c1
rm -fl c1
rm /c1/
rm /
wait c1 nosuch
wait nosuch
rename c1
rename c1 ""
rename nosuch c2
port nosuch
port c1 80/tcp
port c1 80/udp
port c1 90/udp
port c1 abc
port c1 80/tcp/x
port c1 1 2
top nosuch
top c1 aux
top c1 -eo pid,cmd
exec nosuch ls
exec -it c1 sh
exec -u 0 -w /x -e A -e B= c1 env
exec --env-file FIXTURES/vars.env c1 env
exec --env-file /nonexistent c1 env
exec -d -i c1 ls
exec --detach-keys ctrl-x c1 ls
exec --detach-keys bad c1 ls
exec -e =x c1 ls
exec c1 -- ls
start c1 nosuch
start -a c1 c2
start -ai c1
start -a nosuch
start --checkpoint x c1
start --checkpoint-dir x c1
attach c1 c2
attach --no-stdin c1
attach --detach-keys bad c1
rmi nosuch
rmi busybox nosuch
rmi -f nosuch
rmi --no-prune busybox
rmi --platform linux/amd64 busybox
tag a
tag a b c
tag nosuch b
tag busybox UPPER
tag busybox a@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
tag busybox a:b:c
tag busybox ""
pull
pull a b
pull UPPER
pull busybox:
pull busybox@sha256:bad
pull -a busybox:latest
pull -aq busybox
pull --platform bad/x/y/z busybox
pull -q busybox:1.2
pull docker.io/library/busybox
pull localhost:5000/x
pull 127.0.0.1:5000/x:y
load
load -i /nonexistent
load --input FIXTURES/labels.txt -q
load --platform linux/amd64 -i FIXTURES/vars.env
load x
import
import -
import /nonexistent
import FIXTURES/vars.env
import FIXTURES/vars.env UPPER
import FIXTURES/vars.env a:b c
import -c CMD~x -c ENV~a=b -m hi --platform linux/arm64 FIXTURES/vars.env a
import ftp://x/y
import --change CMD http://x
image prune
image prune -f --filter dangling=false
image prune -a -f
image prune --filter x
container prune
container prune --filter x
container prune -f --filter label=a
events --since 1 --until 2 --format json
events --since 1 --until 2 --format table
events --filter x
events --since bad --until 2
events --until 5 x
info -f table
info x
version -f table
version x
version -f {{.
login -u x
login -u x --password-stdin
login --password-stdin
login -u "" -p x
login -p x --password-stdin -u y
login -u me -p secret
login -u me -p secret https://registry.example.com/v2/
login -u me -p secret http://localhost:5000
logout https://registry.example.com/v1/
logout
volume create x y
volume create --name x
volume create --name x y
volume create -o a
volume create -o a=b=c -o d x
volume create --label x --label y=z= n
volume create --label =x n
volume create --driver ""
volume rm
volume rm nosuch
volume rm v1 nosuch
volume rm -f nosuch
create --name
create --rm --restart always busybox
create --pull bad busybox
create nosuchimage
create --pull never nosuchimage
create --cidfile FIXTURES/vars.env busybox
create -q nosuchimage
create --platform bad busybox
create --platform a/b/c/d busybox
create -e = busybox
create -e "" busybox
create --env-file /nonexistent busybox
create --env-file / busybox
create --label-file /nonexistent busybox
create -l = busybox
create --dns bad busybox
create --dns-search bad_ busybox
create --add-host bad busybox
create --add-host a:b busybox
create --device bad:bad:bad:bad busybox
create --ulimit bad busybox
create --ulimit nofile=5:1 busybox
create --cap-add bad busybox
create --security-opt bad busybox
create --security-opt seccomp=/nonexistent busybox
create --restart bad busybox
create --restart on-failure:x busybox
create --restart :5 busybox
create --restart always:5 busybox
create --memory-swappiness 101 busybox
create --pid bad busybox
create --uts bad busybox
create --userns bad busybox
create --ipc bad busybox
create --cgroupns bad busybox
create --isolation bad busybox
create --sysctl bad busybox
create --sysctl a=b busybox
create --storage-opt bad busybox
create --log-driver none --log-opt a=b busybox
create --health-interval -1s --health-cmd x busybox
create --health-retries -1 --health-cmd x busybox
create --no-healthcheck --health-cmd x busybox
create --stop-timeout x busybox
create --shm-size bad busybox
create --shm-size -1 busybox
create --cpus bad busybox
create --cpus 0.1234567891 busybox
create --blkio-weight 5x busybox
create --blkio-weight-device bad busybox
create --device-read-bps bad busybox
create --device-read-iops /dev/sda:1mb busybox
create --link a:b:c busybox
create --link "" busybox
create -a bad busybox
create --expose bad busybox
create --expose 99999 busybox
create -p bad:bad busybox
create -p 1-2:3 busybox
create -p 80:80:80:80 busybox
create -p 300.1.1.1:80:80 busybox
create --volumes-from "" busybox
create -v a:b:c:d busybox
create --tmpfs x busybox
create --gpus bad busybox
create --mac-address bad busybox
create --oom-score-adj 2000 busybox
create --group-add "" busybox
create --hostname -bad- busybox
create --stop-signal bad busybox
create --annotation "" busybox
create --detach-keys bad busybox
run -it busybox
run -dit busybox
run -d --rm busybox
run --detach-keys bad busybox
run --sig-proxy=bad busybox
run ""
run busybox:
run busybox@sha256:bad
run -a stdout busybox
run -ia stdout busybox
run --name x --rm -q busybox echo hi
run -w relative busybox
run --cpu-count 2 busybox
run --io-maxiops 2 --cpu-percent 5 busybox
run --memory 10 busybox
run --oom-kill-disable busybox
run --net container:x -p 80:80 busybox
run --privileged --cap-drop all busybox
create --env-file FIXTURES/env/blank.env busybox
exec --env-file FIXTURES/env/blank.env c1 env
create --label-file FIXTURES/env/blank.env busybox
create --env-file FIXTURES/env/bom-middle.env busybox
exec --env-file FIXTURES/env/bom-middle.env c1 env
create --label-file FIXTURES/env/bom-middle.env busybox
create --env-file FIXTURES/env/bom-only.env busybox
exec --env-file FIXTURES/env/bom-only.env c1 env
create --label-file FIXTURES/env/bom-only.env busybox
create --env-file FIXTURES/env/bom.env busybox
exec --env-file FIXTURES/env/bom.env c1 env
create --label-file FIXTURES/env/bom.env busybox
create --env-file FIXTURES/env/comment.env busybox
exec --env-file FIXTURES/env/comment.env c1 env
create --label-file FIXTURES/env/comment.env busybox
create --env-file FIXTURES/env/continuation.env busybox
exec --env-file FIXTURES/env/continuation.env c1 env
create --label-file FIXTURES/env/continuation.env busybox
create --env-file FIXTURES/env/cr.env busybox
exec --env-file FIXTURES/env/cr.env c1 env
create --label-file FIXTURES/env/cr.env busybox
create --env-file FIXTURES/env/crlf.env busybox
exec --env-file FIXTURES/env/crlf.env c1 env
create --label-file FIXTURES/env/crlf.env busybox
create --env-file FIXTURES/env/dollar.env busybox
exec --env-file FIXTURES/env/dollar.env c1 env
create --label-file FIXTURES/env/dollar.env busybox
create --env-file FIXTURES/env/dups.env busybox
exec --env-file FIXTURES/env/dups.env c1 env
create --label-file FIXTURES/env/dups.env busybox
create --env-file FIXTURES/env/empty.env busybox
exec --env-file FIXTURES/env/empty.env c1 env
create --label-file FIXTURES/env/empty.env busybox
create --env-file FIXTURES/env/equals.env busybox
exec --env-file FIXTURES/env/equals.env c1 env
create --label-file FIXTURES/env/equals.env busybox
create --env-file FIXTURES/env/export.env busybox
exec --env-file FIXTURES/env/export.env c1 env
create --label-file FIXTURES/env/export.env busybox
create --env-file FIXTURES/env/invalid-utf8.env busybox
exec --env-file FIXTURES/env/invalid-utf8.env c1 env
create --label-file FIXTURES/env/invalid-utf8.env busybox
create --env-file FIXTURES/env/latin1.env busybox
exec --env-file FIXTURES/env/latin1.env c1 env
create --label-file FIXTURES/env/latin1.env busybox
create --env-file FIXTURES/env/long.env busybox
exec --env-file FIXTURES/env/long.env c1 env
create --label-file FIXTURES/env/long.env busybox
create --env-file FIXTURES/env/max.env busybox
exec --env-file FIXTURES/env/max.env c1 env
create --label-file FIXTURES/env/max.env busybox
create --env-file FIXTURES/env/names-space.env busybox
exec --env-file FIXTURES/env/names-space.env c1 env
create --label-file FIXTURES/env/names-space.env busybox
create --env-file FIXTURES/env/names.env busybox
exec --env-file FIXTURES/env/names.env c1 env
create --label-file FIXTURES/env/names.env busybox
create --env-file FIXTURES/env/no-newline.env busybox
exec --env-file FIXTURES/env/no-newline.env c1 env
create --label-file FIXTURES/env/no-newline.env busybox
create --env-file FIXTURES/env/noname.env busybox
exec --env-file FIXTURES/env/noname.env c1 env
create --label-file FIXTURES/env/noname.env busybox
create --env-file FIXTURES/env/noname2.env busybox
exec --env-file FIXTURES/env/noname2.env c1 env
create --label-file FIXTURES/env/noname2.env busybox
create --env-file FIXTURES/env/nul.env busybox
exec --env-file FIXTURES/env/nul.env c1 env
create --label-file FIXTURES/env/nul.env busybox
create --env-file FIXTURES/env/quotes.env busybox
exec --env-file FIXTURES/env/quotes.env c1 env
create --label-file FIXTURES/env/quotes.env busybox
create --env-file FIXTURES/env/spaces.env busybox
exec --env-file FIXTURES/env/spaces.env c1 env
create --label-file FIXTURES/env/spaces.env busybox
create --env-file FIXTURES/env/trailing.env busybox
exec --env-file FIXTURES/env/trailing.env c1 env
create --label-file FIXTURES/env/trailing.env busybox
create --env-file FIXTURES/env/unicode.env busybox
exec --env-file FIXTURES/env/unicode.env c1 env
create --label-file FIXTURES/env/unicode.env busybox
create --env-file FIXTURES/env/vt.env busybox
exec --env-file FIXTURES/env/vt.env c1 env
create --label-file FIXTURES/env/vt.env busybox
create --env-file FIXTURES/env/whitespace-name.env busybox
exec --env-file FIXTURES/env/whitespace-name.env c1 env
create --label-file FIXTURES/env/whitespace-name.env busybox
create --env-file FIXTURES/env/dups.env -e A=9 -e A=8 busybox
create -e A=1 --env-file FIXTURES/env/names.env --env-file FIXTURES/vars.env busybox
create -e PATH -e NOSUCH -e X= -e Y=a=b busybox
create -e A~B=1 busybox
create -e ~A=1 busybox
create --label-file FIXTURES/env/dups.env --label-file FIXTURES/labels.txt -l A=0 busybox
create -l a -l a=1 -l a= busybox
create -l a=b=c -l ~x=1 -l x~y=1 busybox
create -l " =1" busybox
create --env-file FIXTURES busybox
exec --env-file FIXTURES c1 env
exec -e A -e PATH -e A=1 -e A=2 c1 env
create -l ~xy=1 -l z~ busybox
volume create --label ~x=1 n
create -l x~ busybox
create -e ~A=1 -e A~=2 busybox
exec -e A=1 -e A=2 -e A c1 env
exec --env-file FIXTURES/env/dups.env -e A=9 c1 env
--nosuch
-Z
foo bar
help foo
help container foo
-H
--host
-H a -H b ps
-c x -H y ps
--context nosuch ps
-l bad ps
-D foo
--config /nonexistent ps -q
--tls ps
--tlsverify ps
--debug=maybe ps
Ps
contianer ls
container lss
image prunee
ps --fromat x
run --naem x busybox
ps -- -a
-v ps
remove c1
container foo bar
container --foo
container -Z
container help
volume --foo
system ls extra
start --checkpoint x --checkpoint-dir y c1
create --platform lin~ux/amd64 busybox
create --platform linux/a~b busybox
create --platform a* busybox
create --platform linux(6.1)/amd64 busybox
inspect --type plugin x
inspect -s c1 busybox bridge v1
port c1 80-90
port c1 ""
port c1 70000
ps -a=false -q
ps -aq=false
ps -aq=
ps -a=
ps -a= -q
ps -n3 -q
ps -n=3
ps -n= 3
ps -qn 2
ps -nq 2
ps --last=
ps --all=maybe
ps --all=
ps --help=maybe
ps --help=false -q
ps -
ps --
ps -- x
ps ---
ps --=x
ps -=x
ps --help --nosuch
ps --nosuch --help
run --name= busybox
run --name=x=y busybox
run -e=A=1 busybox
run -eA=1 busybox
run -e A=1 - busybox
run -it=false busybox
run -itd=false -- busybox -x
exec -i- c1 ls
logs -n=5 c1
logs -tn5 c1
logs -fn c1
stop -t=5 c1
system df
system df -v
system df --format json
system df -v --format json
system df --format {{.Type}}~{{.TotalCount}}~{{.Active}}~{{.Size}}~{{.Reclaimable}}
system df --format table~{{.Type}}\\t{{.Size}}
system df --format table
system df --format {{.Foo}}
system df -v --format table
system df -v --format {{json~.}}
system df -v --format {{range~.Images}}{{.Repository}}~{{end}}
system df --format {{json~.}}
system df x
volume prune -f
volume prune
volume prune -f -a
volume prune -af --filter label=x
volume prune --filter x
volume prune -f --filter all=1
volume prune -fa --filter all=1
volume prune x
network prune -f
network prune
network prune -f --filter until=1h
network prune x
system prune -f
system prune
system prune -a
system prune -af
system prune --volumes
system prune -f --volumes
system prune -af --volumes --filter label=x --filter until=1h
system prune --filter until=1h --volumes
system prune --filter label!=keep -a
system prune -f --filter until=1h
system prune x
history busybox
history -q busybox
history --no-trunc busybox
history -H=false busybox
history --human=false --no-trunc busybox
history --format json busybox
history --format {{.ID}}~{{.CreatedAt}}~{{.CreatedSince}}~{{.CreatedBy}}~{{.Size}}~{{.Comment}} busybox
history --format table~{{.ID}}\\t{{.Size}} busybox
history --format table busybox
history -q --format json busybox
history -q --no-trunc busybox
history --format {{.Foo}} busybox
history --platform linux/arm64 busybox
history --platform bad/x/y/z busybox
history nosuch
history
history a b
save busybox
save -o /nonexistent/x/y.tar busybox
save
save a b
save --platform linux/arm64 busybox
save -o /nonexistent/x busybox
save -o / busybox
search nginx
search --no-trunc nginx
search --limit 2 nginx
search --limit 200 nginx
search --filter stars=3 --filter is-official=true nginx
search --filter x nginx
search --format json nginx
search --format {{.Name}}~{{.Description}}~{{.StarCount}}~{{.IsOfficial}}~{{.IsAutomated}} nginx
search --format table~{{.Name}}\\t{{.StarCount}} nginx
search --format {{.Foo}} nginx
search localhost:5000/team/x
search
search a b
`
  .trim()
  .split('\n');

/** Commands that both have, by every name. */
const SHARED = `
attach, container attach, container create, container exec, container inspect, container kill, container list, container logs,
container ls, container pause, container port, container prune, container ps, container remove, container rename, container restart,
container rm, container run, container start, container stop, container top, container unpause, container wait, context create,
context export, context import, context inspect, context list, context ls, context remove, context rm, context show, context update,
context use, create, events, exec, history, image history, image import, image inspect, image list, image load, image ls, image prune,
image pull, image remove, image rm, image rmi, image save, image tag, images, import, info, inspect, kill, load, login, logout, logs,
network inspect, network list, network ls, network prune, pause, port, ps, pull, rename, restart, rm, rmi, run, save, search, start, stop,
system df, system events, system info, system prune, tag, top, unpause, version, volume create, volume inspect, volume list, volume ls,
volume prune, volume remove, volume rm, wait
`;

/** Every shared command, as called. */
export const SHARED_COMMANDS: readonly string[] = SHARED.trim().split(/,\s*/);

/** They ask for a password, or tell versions. */
const SPEAKS_WITHOUT_ARGUMENTS = new Set(['login', 'info', 'system info', 'version']);

/** What every command is asked: flags that there are not, and every wrong number of arguments. */
export const GRAMMAR_CASES: readonly string[] = SHARED_COMMANDS.flatMap((path) => [
  `${path} --nosuch`,
  `${path} -Z`,
  `${path} --nosuch=5 x`,
  ...(SPEAKS_WITHOUT_ARGUMENTS.has(path) ? [] : [path]),
  ...(path === 'login' ? [] : [`${path} a b c d e`]),
]);

/** The arguments of a case. */
export function argvOf(line: string, fixtures: string): string[] {
  return line
    .split(' ')
    .map((word) => (word === '""' ? '' : word))
    .map((word) => word.replaceAll('~', ' ').replaceAll('FIXTURES', fixtures).replaceAll('\\\\', '\\'));
}
