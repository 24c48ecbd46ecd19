const [A, Z, TO_CAPITAL] = [97, 122, 32]

/** Writes a to z of a piece of a body as capitals (Dapr: middleware.http.uppercase); its length stays. */
export function upperCase(piece: Buffer): void {
  for (let at = 0; at < piece.length; at++) {
    const byte = piece[at] ?? 0
    if (byte >= A && byte <= Z) piece[at] = byte - TO_CAPITAL
  }
}
