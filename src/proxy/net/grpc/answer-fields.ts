import {textCopy, FieldWalker, type HeaderField, type FieldSink} from '#h2-frames'

/** A block of fields of an answer: its head, its trailers, or both in one. */
export class AnswerFields implements FieldSink {
  /** 0 if the block is not a head. */
  httpStatus = 0
  contentType = ''
  /** -1 if it is missing. */
  status = -1
  message = ''
  /** `grpc-status-details-bin` as sent. */
  details = ''
  /** All fields but `:status`. */
  bytes = ''
  hasTrace = false
  /** The block as it was received, if it may be repeated. */
  block = ''
  /** The peer has sent this block before. */
  isRepeated = false
  #headText: string | undefined
  #head: string | undefined

  /** The status 200, then all fields. */
  get head(): string {
    return (this.#head ??= textCopy(`\u0088${this.bytes}`))
  }

  /** The head of the response as text, created when it is needed. */
  get headText(): string {
    return (this.#headText ??= this.#text())
  }

  field(field: HeaderField): void {
    const {name} = field
    switch (name) {
      case ':status':
        this.httpStatus = Number(field.value())
        return
      case 'content-type':
        this.contentType = field.value()
        break
      case 'grpc-status':
        this.status = Number.parseInt(field.value(), 10)
        break
      case 'grpc-message':
        this.message = field.value()
        break
      case 'grpc-status-details-bin':
        this.details = field.value()
        break
      case 'traceparent':
        this.hasTrace = true
        break
      default:
    }
    this.bytes += field.bytes
  }

  #text(): string {
    let text = `HTTP/2 ${this.httpStatus}\r\n`
    new FieldWalker().walk(this.bytes, {
      field: field => {
        const value = field.value()
        if (!/[\0\r\n]/.test(value)) text += `${field.name}: ${value}\r\n`
      }
    })
    return `${text}\r\n`
  }

  /** Whether a gRPC server sent the answer. */
  get isGrpc(): boolean {
    return this.httpStatus === 200 && this.contentType.startsWith('application/grpc')
  }
}

const MAX_KNOWN_LENGTH = 512
const MAX_KNOWN = 16
const known = new Map<string, AnswerFields>()
/** Most blocks are equal to the latest one, and a comparison costs less than a hash. */
let latestHead = new AnswerFields()
let latestEnd = latestHead

/** Reads a block of an answer. `isLast`: it ends the answer. Remembers the result, since most blocks repeat. */
export const readAnswer = (walker: FieldWalker, block: string, isLast: boolean): AnswerFields => {
  const latest = isLast ? latestEnd : latestHead
  if (block === latest.block) {
    latest.isRepeated = block !== ''
    return latest
  }
  const seen = known.get(block)
  const fields = seen ?? walkAnswer(walker, block)
  if (fields.block === '') return fields
  fields.isRepeated = seen !== undefined
  if (isLast) latestEnd = fields
  else latestHead = fields
  return fields
}

const walkAnswer = (walker: FieldWalker, block: string): AnswerFields => {
  const fields = new AnswerFields()
  walker.walk(block, fields)
  if (walker.isPlain && block.length <= MAX_KNOWN_LENGTH) {
    if (known.size >= MAX_KNOWN) known.clear()
    // a part of a block would keep the whole piece
    fields.bytes = textCopy(fields.bytes)
    fields.block = textCopy(block)
    known.set(fields.block, fields)
  }
  return fields
}
