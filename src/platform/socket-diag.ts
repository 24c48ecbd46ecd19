import {loadFfi, type CFunction} from './experimental.ts'
import {ipv4Bytes, rowOfPeer, socketTables, type Ends} from './proc-net.ts'

/**
 * Returns the inode of the socket at the other end of a connection, as in /proc/PID/fd; '' if it is not on this machine, or closed. Asks
 * the kernel for this socket (netlink(7), sock_diag(7)), which takes microseconds with any number of sockets; if it cannot, reads its tables.
 */
export function inodeOfPeer(ends: Ends): string {
  asking ??= open()
  return asking === 'none' ? (rowOfPeer(socketTables(), ends)?.inode ?? '') : ask(asking, ends)
}

interface Netlink {
  readonly socket: number
  readonly send: CFunction
  readonly recv: CFunction
}

/** The netlink socket, which the first question opens, and which stays open; `none`: the kernel cannot be asked. */
let asking: Netlink | 'none' | undefined

/** Constants of linux/netlink.h, linux/sock_diag.h and bits/socket.h. */
const AF_NETLINK = 16
const SOCK_RAW = 3
const SOCK_CLOEXEC = 0o2000000
const NETLINK_SOCK_DIAG = 4
const SOCK_DIAG_BY_FAMILY = 20
const NLM_F_REQUEST = 1
const MSG_DONTWAIT = 0x40
const AF_INET = 2
const AF_INET6 = 10
const IPPROTO_TCP = 6

const REQUEST_BYTES = 72
/** Bytes of an answer: a header of 16 bytes and inet_diag_msg, whose last field is the inode. */
const ANSWER_BYTES = 88
const INODE_AT = 84

const request = Buffer.alloc(REQUEST_BYTES)
const answer = Buffer.alloc(8192)

function open(): Netlink | 'none' {
  if (process.platform !== 'linux') return 'none'
  try {
    const functions = loadFfi()?.dlopen(null, {
      socket: {arguments: ['i32', 'i32', 'i32'], return: 'i32'},
      send: {arguments: ['i32', 'pointer', 'u64', 'i32'], return: 'i32'},
      recv: {arguments: ['i32', 'pointer', 'u64', 'i32'], return: 'i32'}
    }).functions
    const {socket: openSocket, send, recv} = functions ?? {}
    if (openSocket === undefined || send === undefined || recv === undefined) return 'none'
    const socket = openSocket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)
    return socket < 0 ? 'none' : {socket, send, recv}
  } catch {
    return 'none' // without permission, or in a sandbox
  }
}

function ask({socket, send, recv}: Netlink, ends: Ends): string {
  const {remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0} = ends
  const isPlain = remoteAddress.includes('.')
  request.fill(0)
  request.writeUInt32LE(REQUEST_BYTES, 0)
  request.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4)
  request.writeUInt16LE(NLM_F_REQUEST, 6)
  request[16] = isPlain ? AF_INET : AF_INET6 // finds sockets of IPv6 with a mapped address, too
  request[17] = IPPROTO_TCP
  request.writeUInt32LE(0xff_ff_ff_ff, 20) // in any state
  request.writeUInt16BE(remotePort, 24)
  request.writeUInt16BE(localPort, 26)
  request.set(bytesOf(remoteAddress), 28)
  request.set(bytesOf(localAddress), 44)
  request.fill(255, 64, REQUEST_BYTES) // no cookie
  if (send(socket, request, BigInt(REQUEST_BYTES), 0) < 0) return ''
  const size = recv(socket, answer, BigInt(answer.length), MSG_DONTWAIT)
  if (size < ANSWER_BYTES || answer.readUInt16LE(4) !== SOCK_DIAG_BY_FAMILY) return ''
  const inode = answer.readUInt32LE(INODE_AT)
  return inode === 0 ? '' : inode.toString()
}

/** Returns an address in network byte order: of IPv4, or the loopback address of IPv6. */
function bytesOf(address: string): Uint8Array {
  const bytes = new Uint8Array(16)
  if (address === '::1') bytes[15] = 1
  else bytes.set(ipv4Bytes(address))
  return bytes
}
