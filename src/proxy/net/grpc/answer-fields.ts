import {textCopy, FieldWalker, type HeaderField, type FieldSink} from '#h2-frames'

/** The fields of one header block of a gRPC response: its head, its trailers, or both in one. */
export class AnswerFields implements FieldSink {
  /** Status of HTTP; 0: the block is not a head. */
  httpStatus = 0
  contentType = ''
  /** Value of `grpc-status`; -1: missing. */
  status = -1
  message = ''
  /** Value of `grpc-status-details-bin`, in base64. */
  details = ''
  /** All fields except `:status`, encoded. */
  bytes = ''
  hasTrace = false
  /** Block as it was received; '': not cached. */
  block = ''
  /** Whether an earlier response had the same block. */
  isRepeated = false
  #headText: string | undefined
  #head: string | undefined

  /** Encoded head with status 200 and all fields. */
  get head(): string {
    return (this.#head ??= textCopy(`\u0088${this.bytes}`))
  }

  /** Head of the response as HTTP text, created when it is needed. */
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

  /** Whether a gRPC server has sent the response. */
  get isGrpc(): boolean {
    return this.httpStatus === 200 && this.contentType.startsWith('application/grpc')
  }
}

const MAX_KNOWN_LENGTH = 512
const MAX_KNOWN = 16
const known = new Map<string, AnswerFields>()
/** Latest head and latest trailers. Most blocks equal them, and a comparison costs less than a lookup in the map. */
let latestHead = new AnswerFields()
let latestEnd = latestHead

/** Reads a header block of a response, and caches the result, since most blocks repeat. `isLast`: the block ends the response. */
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
    // copies the texts: a slice would keep the whole received piece in memory
    fields.bytes = textCopy(fields.bytes)
    fields.block = textCopy(block)
    known.set(fields.block, fields)
  }
  return fields
}
