/** How a response breaks off on purpose. */
export class BrokenResponse {
  /** Called when the connection to the callee is open. */
  readonly opened: (() => void) | undefined
  /** Bytes of the body that are still passed on; -1: not even the head of the response is. */
  left: number
  /** No more bytes are passed on. */
  isOver = false

  constructor(left: number, opened?: () => void) {
    this.left = left
    this.opened = opened
  }

  /** Returns the part of a piece that is passed on, and calls `ended` if it is not the whole. A text has one character for each byte. */
  take<Piece extends Buffer | string>(piece: Piece, ended: () => void): Piece {
    if (piece.length > this.left) ended()
    const taken = typeof piece === 'string' ? piece.slice(0, this.left) : piece.subarray(0, this.left)
    this.left -= taken.length
    return taken as Piece
  }
}
