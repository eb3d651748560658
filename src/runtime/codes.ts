// Owns the codes of the failures that begin here, each with its kind. Types only.

declare module '../lib/errors.ts' {
  interface ErrorCodes {
    BLOCK_DEVICE_UNKNOWN: 'invalid';
    CAPABILITY_UNAVAILABLE: 'invalid';
    CAPABILITY_UNKNOWN: 'invalid';
    DEVICE_RULE_INVALID: 'invalid';
    GROUP_NOT_FOUND: 'invalid';
    ID_OUT_OF_RANGE: 'invalid';
    MOUNT_OVER_PROC: 'invalid';
    NO_SUCH_RUNTIME: 'invalid';
    RLIMIT_INVALID: 'invalid';
    RRO_UNSUPPORTED: 'system';
    RUNTIME_NOT_FOUND: 'notFound';
    RUNTIME_TRIAL_FAILED: 'system';
    SECCOMP_PROFILE_INVALID: 'invalid';
    SECURITY_OPTION_INVALID: 'system';
    SHIM_FAILED: 'system';
    SHIM_FRAME_INVALID: 'invalid' | 'system';
    SHIM_GONE: 'unavailable';
    SHIM_SILENT: 'unavailable';
    SHIM_STEP_INVALID: 'invalid';
    SPAWNER_FAILED: 'system';
    START_FAILED: 'invalid' | 'notFound' | 'system' | 'forbidden';
    USER_FILES: 'invalid';
    USER_NOT_FOUND: 'invalid';
  }
}

export {};
