// Owns the netlink socket: one datagram out, its acknowledgements in. Knows no message type. Every receive is bounded.

import { errno as ERRNO, libc, must, SystemError } from '../libc.ts';
import {
  type Acknowledgement,
  decodeAcknowledgement,
  decodeMessages,
  encodeMessages,
  type Message,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  type Received,
  u32,
} from './wire.ts';

export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;
const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 0o2000003;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
const MSG_DONTWAIT = 0x40;
const NLM_F_DUMP_INTR = 0x10;
const RECEIVE_BYTES = 64 * 1024;
const DUMP_MESSAGES = 200_000;

/** The kernel refused a request. `index` says which message of the batch; `code` is the errno's name. */
export class NetlinkError extends SystemError {
  readonly index: number;

  constructor(acknowledgement: Acknowledgement, index: number) {
    super(acknowledgement.errno, 'netlink', acknowledgement.text || undefined);
    this.name = 'NetlinkError';
    this.index = index;
  }
}

/** Says of a failed message of a batch whether that is fine. `code` is the errno. */
export type Tolerance = (index: number, code: number) => boolean;

function raiseFirst(acknowledgements: readonly Acknowledgement[], tolerate: Tolerance): void {
  acknowledgements.forEach((ack, index) => {
    if (ack.errno !== 0 && !tolerate(index, ack.errno)) throw new NetlinkError(ack, index);
  });
}

// The kernel gives a whole datagram or loses its tail; what comes is copied out at once, so one buffer serves all sockets.
const receiveBuffer = Buffer.alloc(RECEIVE_BYTES);

/** One netlink socket, bound to the network namespace in which it was opened. Calls are synchronous. */
export class NetlinkSocket implements Disposable {
  readonly #fd: number;
  readonly #protocol: number;
  #sequence = 1;
  #open = true;

  /** Opens in the calling thread's network namespace. @throws SystemError */
  constructor(protocol: number) {
    this.#protocol = protocol;
    this.#fd = must(libc.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol), 'socket netlink');
    const on = u32(1);
    for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK]) {
      libc.setsockopt(this.#fd, SOL_NETLINK, option, on, on.length); // older kernels lack them: only texts get poorer
    }
  }

  /**
   * Sends messages, all with NLM_F_ACK, as one datagram. The kernel handles them one by one and does not stop at a failure.
   * @returns one acknowledgement a message, in order. @throws SystemError when the socket fails
   */
  acknowledged(messages: readonly Message[]): Acknowledgement[] {
    const first = this.#send(messages);
    return this.#acknowledgements(messages, first);
  }

  /** As `acknowledged`. @throws NetlinkError for the first message that failed, but those for which `tolerate` answers true */
  request(messages: readonly Message[], tolerate: Tolerance = () => false): void {
    raiseFirst(this.acknowledged(messages), tolerate);
  }

  /** As `request`, with the wait for the kernel's locks on the thread pool. One at a time on a socket. */
  async requestOffThread(messages: readonly Message[], tolerate: Tolerance = () => false): Promise<void> {
    const first = this.#reserve(messages);
    const bytes = encodeMessages(messages, first);
    must(await libc.sendOffThread(this.#fd, bytes, bytes.length, 0), 'send netlink');
    raiseFirst(this.#acknowledgements(messages, first), tolerate);
  }

  /**
   * nf_tables: sends a batch, of which some messages (its BEGIN and END) bear no acknowledgement. All apply, or none.
   * @throws NetlinkError for the first failure
   */
  transaction(messages: readonly Message[]): void {
    const first = this.#send(messages);
    const seen = this.#drain().filter(({ type, sequence }) => type === NLMSG_ERROR && sequence >= first);
    const failed = seen.map(decodeAcknowledgement).find(({ errno }) => errno !== 0);
    if (failed) throw new NetlinkError(failed, failed.sequence - first);
    const wanted = messages.filter(({ flags }) => flags & NLM_F_ACK).length;
    if (seen.length < wanted) throw new SystemError(ERRNO.ENOBUFS, 'receive netlink');
  }

  /** Asks for one object. @returns what came besides the acknowledgement. @throws NetlinkError */
  ask(message: Message): Received[] {
    const first = this.#send([message]);
    const answers = this.#drain().filter(({ sequence }) => sequence === first);
    const failed = answers.filter(({ type }) => type === NLMSG_ERROR).map(decodeAcknowledgement);
    raiseFirst(failed, () => false);
    return answers.filter(({ type }) => type !== NLMSG_ERROR);
  }

  /** Asks for a list. Repeats when the kernel says that it changed meanwhile. @throws NetlinkError @throws SystemError */
  dump(message: Message): Received[] {
    for (let attempt = 0; ; attempt++) {
      const { items, interrupted } = this.#dumpOnce(message);
      if (!interrupted || attempt >= 4) return items;
    }
  }

  /** Asks for a long list, piece by piece (some 100 items): the caller may let the event loop turn in between. */
  *dumpPieces(message: Message): Generator<Received[], void> {
    const first = this.#send([{ ...message, flags: NLM_F_REQUEST | NLM_F_DUMP }]);
    for (;;) {
      const piece = this.#receive().filter(({ sequence }) => sequence === first);
      const end = piece.find(({ type }) => type === NLMSG_ERROR || type === NLMSG_DONE);
      if (end === undefined) {
        yield piece;
        continue;
      }
      raiseFirst([decodeAcknowledgement(end)], () => false);
      return yield piece.filter((message) => message !== end);
    }
  }

  #dumpOnce(message: Message): { items: Received[]; interrupted: boolean } {
    const first = this.#send([{ ...message, flags: NLM_F_REQUEST | NLM_F_DUMP }]);
    const items: Received[] = [];
    let interrupted = false;
    for (;;) {
      for (const received of this.#receive()) {
        if (received.sequence !== first) continue;
        if (received.flags & NLM_F_DUMP_INTR) interrupted = true;
        if (received.type === NLMSG_ERROR || received.type === NLMSG_DONE) {
          const ack = decodeAcknowledgement(received);
          if (ack.errno > 0) throw new NetlinkError(ack, 0);
          return { items, interrupted };
        }
        if (items.length >= DUMP_MESSAGES) throw new RangeError('netlink dump is longer than any host has use for');
        items.push(received);
      }
    }
  }

  #reserve(messages: readonly Message[]): number {
    const first = this.#sequence;
    this.#sequence = (first + messages.length) % 0x7fffffff || 1;
    return first;
  }

  #send(messages: readonly Message[]): number {
    const first = this.#reserve(messages);
    const bytes = encodeMessages(messages, first);
    must(libc.sendto(this.#fd, bytes, bytes.length, 0, null, 0), 'send netlink');
    return first;
  }

  #acknowledgements(messages: readonly Message[], first: number): Acknowledgement[] {
    const answers = this.#drain().filter(({ type }) => type === NLMSG_ERROR);
    return messages.map((_, index) => {
      const answer = answers.find(({ sequence }) => sequence === first + index);
      if (!answer) throw new SystemError(ERRNO.ENOBUFS, 'receive netlink');
      return decodeAcknowledgement(answer);
    });
  }

  /** Everything that waits to be read. The kernel answers within `send`, so there is never a reason to wait for more. */
  #drain(): Received[] {
    const out: Received[] = [];
    for (;;) {
      const size = libc.recv(this.#fd, receiveBuffer, receiveBuffer.length, MSG_DONTWAIT);
      if (size === -ERRNO.EAGAIN) return out;
      out.push(...decodeMessages(Buffer.from(receiveBuffer.subarray(0, must(size, 'receive netlink')))));
    }
  }

  #receive(): Received[] {
    const size = must(libc.recv(this.#fd, receiveBuffer, receiveBuffer.length, MSG_DONTWAIT), 'receive netlink');
    return decodeMessages(Buffer.from(receiveBuffer.subarray(0, size)));
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    // nf_tables ends its pending destructions when any netfilter socket closes: 13 ms after something was deleted.
    if (this.#protocol === NETLINK_NETFILTER) void libc.closeOffThread(this.#fd);
    else libc.close(this.#fd);
  }
}
