// Owns the netlink socket: one datagram out, its answers in. Knows no message type. Every receive is bounded.
//
// The kernel does a request's work within `send`, waiting there for its locks (rtnl is held for a whole RCU grace period while
// a namespace dies). So requests run on the thread pool; what is answered then waits in the socket, and reading it is instant.

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

/** The kernel's answer to one message: how it ended, and what came before that. */
export interface Answer extends Acknowledgement {
  readonly items: readonly Received[];
}

/** Says of a failed message of a batch whether that is fine. `code` is the errno. */
export type Tolerance = (index: number, code: number) => boolean;

function raiseFirst(acknowledgements: readonly Acknowledgement[], tolerate: Tolerance): void {
  acknowledgements.forEach((ack, index) => {
    if (ack.errno !== 0 && !tolerate(index, ack.errno)) throw new NetlinkError(ack, index);
  });
}

/**
 * One netlink socket. It belongs for good to the network namespace in which it was opened; opening takes 10 µs. Calls must
 * not overlap: whoever works side by side opens a socket for each.
 */
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
   * @returns an answer a message, in order. @throws SystemError when the socket fails
   */
  async ask(messages: readonly Message[]): Promise<Answer[]> {
    const first = await this.#send(messages);
    const received = this.#drain();
    return messages.map((_, index) => {
      const own = received.filter(({ sequence }) => sequence === first + index);
      const end = own.find(({ type }) => type === NLMSG_ERROR);
      if (!end) throw new SystemError(ERRNO.ENOBUFS, 'receive netlink');
      return { ...decodeAcknowledgement(end), items: own.filter((message) => message !== end) };
    });
  }

  /** As `ask`. @throws NetlinkError for the first message that failed, but those for which `tolerate` answers true */
  async request(messages: readonly Message[], tolerate: Tolerance = () => false): Promise<Answer[]> {
    const answers = await this.ask(messages);
    raiseFirst(answers, tolerate);
    return answers;
  }

  /**
   * nf_tables: sends a batch, of which some messages (its BEGIN and END) bear no acknowledgement. All apply, or none.
   * @throws NetlinkError for the first failure
   */
  async transaction(messages: readonly Message[]): Promise<void> {
    const first = await this.#send(messages);
    const seen = this.#drain().filter(({ type, sequence }) => type === NLMSG_ERROR && sequence >= first);
    const failed = seen.map(decodeAcknowledgement).find(({ errno }) => errno !== 0);
    if (failed) throw new NetlinkError(failed, failed.sequence - first);
    const wanted = messages.filter(({ flags }) => flags & NLM_F_ACK).length;
    if (seen.length < wanted) throw new SystemError(ERRNO.ENOBUFS, 'receive netlink');
  }

  /** Asks for a list. Repeats when the kernel says that it changed meanwhile. @throws NetlinkError @throws SystemError */
  async dump(message: Message): Promise<Received[]> {
    for (let attempt = 0; ; attempt++) {
      const items: Received[] = [];
      for await (const piece of this.dumpPieces(message)) {
        if (items.length > DUMP_MESSAGES) throw new RangeError('netlink dump is longer than any host has use for');
        items.push(...piece);
      }
      const interrupted = items.some(({ flags }) => flags & NLM_F_DUMP_INTR);
      if (!interrupted || attempt >= 4) return items;
    }
  }

  /** Asks for a long list, piece by piece (some 100 items). @throws NetlinkError @throws SystemError */
  async *dumpPieces(message: Message): AsyncGenerator<Received[], void> {
    const first = await this.#send([{ ...message, flags: NLM_F_REQUEST | NLM_F_DUMP }]);
    const buffer = Buffer.allocUnsafe(RECEIVE_BYTES);
    for (let ended = false; !ended; ) {
      const size = must(await libc.recvOffThread(this.#fd, buffer, buffer.length, MSG_DONTWAIT), 'receive netlink');
      const piece = split(buffer.subarray(0, size), first);
      ended = piece.ended;
      yield piece.items;
    }
  }

  /** As `dump`, at once: for short lists that the kernel gives without waiting for locks. */
  dumpNow(message: Message): Received[] {
    const first = this.#reserve(1);
    const bytes = encodeMessages([{ ...message, flags: NLM_F_REQUEST | NLM_F_DUMP }], first);
    must(libc.sendto(this.#fd, bytes, bytes.length, 0, null, 0), 'send netlink');
    const out: Received[] = [];
    for (;;) {
      const { items, ended } = split(this.#receive() ?? Buffer.alloc(0), first);
      out.push(...items);
      if (ended || items.length === 0) return out;
    }
  }

  #reserve(count: number): number {
    const first = this.#sequence;
    this.#sequence = (first + count) % 0x7fffffff || 1;
    return first;
  }

  async #send(messages: readonly Message[]): Promise<number> {
    const first = this.#reserve(messages.length);
    const bytes = encodeMessages(messages, first);
    const sent = await libc.sendOffThread(this.#fd, bytes, bytes.length, 0);
    if (sent !== bytes.length) throw new SystemError(ERRNO.EIO, 'send netlink');
    return first;
  }

  /** Everything that waits to be read. */
  #drain(): Received[] {
    const out: Received[] = [];
    for (;;) {
      const datagram = this.#receive();
      if (!datagram) return out;
      out.push(...decodeMessages(datagram));
    }
  }

  #receive(): Buffer | undefined {
    const size = libc.recv(this.#fd, receiveBuffer, receiveBuffer.length, MSG_DONTWAIT);
    if (size === -ERRNO.EAGAIN) return undefined;
    return Buffer.from(receiveBuffer.subarray(0, must(size, 'receive netlink')));
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    // nf_tables ends its pending destructions when any netfilter socket closes: 13 ms after something was deleted.
    if (this.#protocol === NETLINK_NETFILTER) void libc.closeOffThread(this.#fd);
    else libc.close(this.#fd);
  }
}

/** One datagram of a list. @throws NetlinkError when the kernel refuses it */
function split(datagram: Buffer, sequence: number): { items: Received[]; ended: boolean } {
  const own = decodeMessages(Buffer.from(datagram)).filter((message) => message.sequence === sequence);
  const end = own.find(({ type }) => type === NLMSG_ERROR || type === NLMSG_DONE);
  if (end) raiseFirst([decodeAcknowledgement(end)], () => false);
  return { items: own.filter((message) => message !== end), ended: end !== undefined };
}

// The kernel gives a whole datagram or loses its tail; what comes is copied out at once, so one buffer serves all sockets.
const receiveBuffer = Buffer.alloc(RECEIVE_BYTES);
