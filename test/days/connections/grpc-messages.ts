/** The messages of a call say whose they are and their number, so that none can be taken for another one. */
export const messageOf = (id: string, number: number, bytes: number): string => {
  const text = `${id}:${number}:`.padEnd(bytes, 'z')
  const {length} = text
  return `\0${String.fromCharCode(length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255)}${text}`
}

/** Reads the messages of one side of a call, and finds what is not as it was sent. */
export class Messages {
  count = 0
  id: string
  readonly #fault: (text: string) => void
  #rest = ''

  /** `id` '': that of the first message. */
  constructor(id: string, fault: (text: string) => void) {
    this.id = id
    this.#fault = fault
  }

  /** Nothing has come of a further message. */
  get isWhole(): boolean {
    return this.#rest === ''
  }

  take(bytes: Buffer): void {
    this.#rest += bytes.toString('latin1')
    for (;;) {
      const rest = this.#rest
      const length = Buffer.from(rest.slice(1, 5), 'latin1')
      const end = 5 + (length.length < 4 ? Infinity : length.readUInt32BE())
      if (rest.length < end) return
      const text = rest.slice(5, end)
      this.#rest = rest.slice(end)
      const [id = '', number] = text.split(':')
      this.id ||= id
      const isSent = new RegExp(`^${this.id}:${this.count}:z*$`).test(text)
      if (!isSent) this.#fault(`message ${this.count} of ${this.id} came as ${id}:${number}, ${text.length} bytes`)
      this.count++
    }
  }
}
