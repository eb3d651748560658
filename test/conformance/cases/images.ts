// Owns images without a registry: list, tag, remove, inspect, import.

import type { Case } from './types.ts';

export const IMAGES: readonly Case[] = [
  {
    name: 'tag, list and untag',
    steps: [
      'docker tag gtbox $N:v1',
      "docker images $N --format '{{.Repository}} {{.Tag}}'",
      'docker images -q $N | wc -l',
      'docker rmi $N:v1',
      'docker rmi $N:v1',
      'docker tag nosuch:x y:z',
      "docker tag gtbox 'bad name'",
    ],
  },
  {
    name: 'an image in use is kept',
    steps: [
      'docker tag gtbox $N:used; docker create --name $N $N:used',
      'docker rmi $N:used',
      'docker rm $N',
      'docker run --rm gtbox echo still there',
    ],
  },
  {
    name: 'image inspect tells the configuration',
    steps: [
      "docker image inspect -f '{{json .Config.Cmd}} {{.Os}}/{{.Architecture}} {{json .Config.Env}} {{len .RootFS.Layers}}' gtbox",
      "docker image inspect -f '{{json .RepoTags}}' gtbox:latest",
      'docker image inspect nosuch',
    ],
  },
  {
    name: 'import makes an image of a file system',
    steps: [
      `mkdir root; echo hi > root/file; tar -C root -c . | docker import -c 'CMD ["/x"]' -c 'ENV A=b' -m note - $N:imp | cut -c1-7`,
      "docker image inspect -f '{{json .Config.Cmd}} {{json .Config.Env}}' $N:imp",
      'docker rmi $N:imp | head -1',
    ],
  },
  {
    name: 'load refuses what is no archive',
    steps: ['echo junk > junk; docker load -i junk', 'docker load -i missing', 'docker load < junk'],
  },
];
