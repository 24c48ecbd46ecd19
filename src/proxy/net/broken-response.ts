/** The interruption of a response by a fault, with the bytes that still pass. */
export class BrokenResponse {
  /** Called when the connection to the callee is open, for a fault that kills the callee. */
  readonly opened: (() => void) | undefined
  /** Bytes of the body that still pass to the caller; -1: not even the head passes. */
  left: number
  /** Whether the interruption has begun: no more bytes pass. */
  isOver = false

  constructor(left: number, opened?: () => void) {
    this.left = left
    this.opened = opened
  }

  /** Returns the part of a piece that passes, and calls `ended` if that is not the whole piece. Text is latin1. */
  take<Piece extends Buffer | string>(piece: Piece, ended: () => void): Piece {
    if (piece.length > this.left) ended()
    const taken = typeof piece === 'string' ? piece.slice(0, this.left) : piece.subarray(0, this.left)
    this.left -= taken.length
    return taken as Piece
  }
}
