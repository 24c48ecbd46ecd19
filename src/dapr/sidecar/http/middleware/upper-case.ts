const [A, Z, TO_CAPITAL] = [97, 122, 32]

/** Replaces a to z in a piece of a body by capitals (Dapr: middleware.http.uppercase). Its length stays. */
export function upperCase(piece: Buffer): void {
  for (let at = 0; at < piece.length; at++) {
    const byte = piece[at] ?? 0
    if (byte >= A && byte <= Z) piece[at] = byte - TO_CAPITAL
  }
}
