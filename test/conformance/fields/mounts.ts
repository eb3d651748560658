// Owns the rows of mounts in create bodies, and of volumes.

import type {
  Mount,
  MountBindOptions,
  MountImageOptions,
  MountTmpfsOptions,
  MountVolumeOptions,
  MountVolumeOptionsDriverConfig,
  VolumeCreateOptions,
} from '../../../src/spec/docker/types.gen.ts';
import { body, file, honoured, ignored, type Rows, refused } from './types.ts';

const SENSE = body('mounts', 'a mount without sense is refused at create');
const OTHER_TYPE = body('mounts', 'options of another type of mount are refused, also empty ones');
const READ_ONLY = body('mounts', 'read-only options that contradict each other are refused');
const RECURSIVELY = file(
  'test/engine/mounts.test.ts',
  'a read-only mount is read-only with all that is mounted below it',
);
const PROPAGATION = body('mounts', 'a propagation that the source does not allow is refused');
const PART = body('mounts', 'a part of a volume is within it, or the container does not start');
const DRIVERS = body('mounts', 'volumes that their driver cannot make are refused');
const MEMORY = body('mounts', 'memory file systems are made as asked');
const VOLUME = body('volumes', 'a volume is made as asked');
const NO_VOLUME = body('volumes', 'a volume that its driver cannot make is refused');
const NO_IMAGES = 'mounts of type image';
const NOT_YET = file(
  'src/engine/containers/plan/refusals.test.ts',
  'what Docker grants and this engine does not yet have is said, never dropped',
);

export const MOUNT: Rows<Mount> = {
  Target: honoured(SENSE, body('mounts', 'two mounts at one place are refused')),
  Source: honoured(SENSE),
  Type: honoured(SENSE),
  ReadOnly: honoured(READ_ONLY, RECURSIVELY),
  Consistency: ignored('Docker Desktop reads it', READ_ONLY),
  BindOptions: honoured(OTHER_TYPE, PROPAGATION),
  VolumeOptions: honoured(OTHER_TYPE, PART),
  ImageOptions: refused(NO_IMAGES, NOT_YET),
  TmpfsOptions: honoured(OTHER_TYPE, MEMORY),
  ClusterOptions: ignored('it is empty, and only mounts of a swarm have it', SENSE),
};

export const BIND_OPTIONS: Rows<MountBindOptions> = {
  Propagation: honoured(
    PROPAGATION,
    file('test/engine/mounts.test.ts', 'mounts travel both ways through rshared, and in only through rslave'),
  ),
  NonRecursive: honoured(body('mounts', 'a bind mount brings what is mounted below it, unless asked not to')),
  CreateMountpoint: honoured(
    file('test/engine/mounts.test.ts', 'a source that a mount may make is made, with the folders above it'),
  ),
  ReadOnlyNonRecursive: honoured(READ_ONLY, RECURSIVELY),
  ReadOnlyForceRecursive: honoured(READ_ONLY, RECURSIVELY),
};

export const VOLUME_OPTIONS: Rows<MountVolumeOptions> = {
  NoCopy: honoured(
    DRIVERS,
    file(
      'test/engine/volumes.test.ts',
      'an empty volume gets the image’s content with owners, modes, links and times; nocopy and a filled one do not',
    ),
  ),
  Labels: honoured(
    file('test/engine/mounts.test.ts', 'labels of --mount go to the volume that is made for it, named or not'),
  ),
  DriverConfig: honoured(DRIVERS),
  Subpath: honoured(
    PART,
    file(
      'test/engine/mounts.test.ts',
      'only the part of a volume that was asked for is mounted, also when it is started again',
    ),
  ),
};

export const VOLUME_DRIVER: Rows<MountVolumeOptionsDriverConfig> = {
  Name: refused('error looking up volume plugin nope: plugin "nope" not found', DRIVERS),
  Options: refused(
    'invalid option: "',
    DRIVERS,
    file(
      'test/engine/mounts.test.ts',
      'options of a volume’s driver are refused, never dropped, and nothing is left of the attempt',
    ),
  ),
};

export const IMAGE_OPTIONS: Rows<MountImageOptions> = {
  Subpath: refused(NO_IMAGES, NOT_YET),
};

export const TMPFS_OPTIONS: Rows<MountTmpfsOptions> = {
  SizeBytes: honoured(MEMORY),
  Mode: honoured(MEMORY),
  Options: honoured(MEMORY),
};

export const VOLUME_CREATE: Rows<VolumeCreateOptions> = {
  Name: honoured(VOLUME, NO_VOLUME),
  Driver: refused('error looking up volume plugin nosuch: plugin "nosuch" not found', NO_VOLUME),
  DriverOpts: refused('invalid option: "nosuch"', NO_VOLUME),
  Labels: honoured(VOLUME),
  ClusterVolumeSpec: refused('This node is not a swarm manager.', NO_VOLUME),
};
