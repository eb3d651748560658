// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module '../lib/errors.ts' {
  interface ErrorCodes {
    BRIDGE_TAKEN: 'conflict';
    CGROUP_BUSY: 'conflict';
    CORRUPT_LAYER: 'invalid';
    DEVICE_NOT_FOUND: 'invalid';
    ENTRY_NAME: 'system';
    FILE_TOO_LARGE: 'invalid';
    MOUNT_TIMEOUT: 'unavailable';
    NFT_FAILED: 'system';
    NFT_MISSING: 'unavailable';
    NOT_A_FILE: 'invalid';
    OVERWRITE_REFUSED: 'system';
    ROOT_TAKEN: 'conflict';
    TOOL_MISSING: 'system';
    TOO_MANY_LAYERS: 'exhausted';
    TREE_TOO_DEEP: 'invalid';
    TRUNCATED_LAYER: 'invalid';
  }
}

export {};
