import {open} from 'node:fs/promises'

const PIECE_SIZE = 64 * 1024

/** Reads a part of a file as latin1 text, in pieces; ends early at the end of the file. */
export async function* readPart(path: string, from: number, to: number): AsyncGenerator<string> {
  const file = await open(path)
  try {
    for (let at = from; at < to;) {
      const {bytesRead, buffer} = await file.read(Buffer.allocUnsafe(Math.min(PIECE_SIZE, to - at)), {position: at})
      if (bytesRead === 0) return
      yield buffer.toString('latin1', 0, bytesRead)
      at += bytesRead
    }
  } finally {
    await file.close()
  }
}

/** The offset at which the last `count` lines of the first `end` bytes begin. Reads backwards: large files are no slower. */
export async function startOfLastIn(path: string, count: number, end: number): Promise<number> {
  if (count === 0) return end
  const file = await open(path)
  try {
    let lines = 0
    for (let to = end; to > 0;) {
      const from = Math.max(0, to - PIECE_SIZE)
      const {bytesRead, buffer} = await file.read(Buffer.allocUnsafe(to - from), {position: from})
      // the final newline starts no line
      let at = Math.min(bytesRead, end - 1 - from)
      while (at > 0 && (at = buffer.lastIndexOf(10, at - 1)) >= 0) if (++lines === count) return from + at + 1
      to = from
    }
    return 0
  } finally {
    await file.close()
  }
}
