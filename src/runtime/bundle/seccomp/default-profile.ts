// Owns the default seccomp profile as data: which system calls a container may make, and when. Decides nothing.
// @source the list that dockerd 28.5 hands to runc on Linux 6.18 (amd64), for each single added capability

import type { OciSyscallArg } from '../oci.ts';

/** A rule holds when every given condition does. */
export interface ProfileRule {
  readonly calls: readonly string[];
  /** Answered with this errno; absent = allowed. */
  readonly errno?: number;
  readonly args?: readonly OciSyscallArg[];
  /** In the bounding set. */
  readonly withCapability?: string;
  readonly withoutCapability?: string;
  readonly architectures?: readonly string[];
  /** At least this kernel: major, minor. */
  readonly minKernel?: readonly [number, number];
}

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Every container. */
const ALWAYS = words(`
  _llseek _newselect accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod chown
  chown32 clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
  clock_nanosleep clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3
  epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd
  eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark
  fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock
  fork fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex
  futex_requeue futex_time64 futex_wait futex_waitv futex_wake futimesat get_robust_list get_thread_area getcpu
  getcwd getdents getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer
  getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32
  getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid getuid32 getxattr getxattrat
  inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents
  io_pgetevents_time64 io_setup io_submit ioctl ioprio_get ioprio_set ipc kill landlock_add_rule
  landlock_create_ruleset landlock_restrict_self lchown lchown32 lgetxattr link linkat listen listmount listxattr
  listxattrat llistxattr lremovexattr lseek lsetxattr lstat lstat64 madvise map_shadow_stack membarrier
  memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 mprotect
  mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64
  mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep
  newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect
  poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64 process_mrelease pselect6 pselect6_time64
  pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recv recvfrom recvmmsg recvmmsg_time64
  recvmsg remap_file_pages removexattr removexattrat rename renameat renameat2 restart_syscall riscv_hwprobe rmdir
  rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
  rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity
  sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64
  sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop
  semtimedop semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto set_robust_list set_thread_area
  set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer setpgid
  setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit setsid
  setsockopt setuid setuid32 setxattr setxattrat shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4
  sigprocmask sigreturn socketcall socketpair splice stat stat64 statfs statfs64 statmount statx symlink symlinkat
  sync sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime
  timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime
  timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask uname unlink unlinkat uretprobe utime
  utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid write writev
`);

/** Address families from 40 on, AF_VSOCK, are kept from containers. */
const SOCKET_FAMILY_NOT_VSOCK: OciSyscallArg = { index: 0, value: 40, op: 'SCMP_CMP_NE' };

/** PER_LINUX, PER_LINUX32, UNAME26 with either, and asking without setting. */
const PERSONALITIES = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];

/** Any CLONE_NEW* flag but the time namespace's. */
const CLONE_NAMESPACE_FLAGS = 0x7e020000;
const NO_NEW_NAMESPACE: OciSyscallArg = { index: 0, value: CLONE_NAMESPACE_FLAGS, op: 'SCMP_CMP_MASKED_EQ' };
const ENOSYS = 38;

/** In the order in which they are given to the runtime. */
export const PROFILE_RULES: readonly ProfileRule[] = [
  { calls: ALWAYS },
  { calls: words('process_vm_readv process_vm_writev ptrace'), minKernel: [4, 8] },
  { calls: ['socket'], args: [SOCKET_FAMILY_NOT_VSOCK] },
  ...PERSONALITIES.map(
    (value): ProfileRule => ({ calls: ['personality'], args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }] }),
  ),
  {
    calls: words('arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls'),
    architectures: ['arm64', 'arm'],
  },
  { calls: ['arch_prctl'], architectures: ['amd64'] },
  { calls: ['modify_ldt'], architectures: ['amd64', '386'] },
  { calls: ['riscv_flush_icache'], architectures: ['riscv64'] },
  { calls: ['open_by_handle_at'], withCapability: 'CAP_DAC_READ_SEARCH' },
  {
    calls: words(`
      bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules
      lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname
      sethostname setns syslog umount umount2 unshare
    `),
    withCapability: 'CAP_SYS_ADMIN',
  },
  { calls: ['clone'], args: [NO_NEW_NAMESPACE], withoutCapability: 'CAP_SYS_ADMIN' },
  // Its flags lie in memory where no filter can look: programs fall back to clone.
  { calls: ['clone3'], errno: ENOSYS, withoutCapability: 'CAP_SYS_ADMIN' },
  { calls: ['reboot'], withCapability: 'CAP_SYS_BOOT' },
  { calls: ['chroot'], withCapability: 'CAP_SYS_CHROOT' },
  { calls: words('delete_module init_module finit_module'), withCapability: 'CAP_SYS_MODULE' },
  { calls: ['acct'], withCapability: 'CAP_SYS_PACCT' },
  {
    calls: words('kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace'),
    withCapability: 'CAP_SYS_PTRACE',
  },
  { calls: words('iopl ioperm'), withCapability: 'CAP_SYS_RAWIO' },
  { calls: words('settimeofday stime clock_settime clock_settime64'), withCapability: 'CAP_SYS_TIME' },
  { calls: ['vhangup'], withCapability: 'CAP_SYS_TTY_CONFIG' },
  { calls: words('get_mempolicy mbind set_mempolicy set_mempolicy_home_node'), withCapability: 'CAP_SYS_NICE' },
  { calls: ['syslog'], withCapability: 'CAP_SYSLOG' },
  { calls: ['bpf'], withCapability: 'CAP_BPF' },
  { calls: ['perf_event_open'], withCapability: 'CAP_PERFMON' },
];

/** The instruction sets whose programs may run, by the host's architecture. */
export const SECCOMP_ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  amd64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
  riscv64: ['SCMP_ARCH_RISCV64'],
};
