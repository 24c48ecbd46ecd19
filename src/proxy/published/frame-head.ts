import type {FieldSink, HeaderField} from '#h2-frames'
import type {SentRequest} from '../../model/call.ts'

/** Collects the fields of an HTTP/2 request's head: encoded for the app, and as HTTP/1 lines for the call's record. */
export class FrameHead implements FieldSink {
  method = ''
  path = ''
  isGrpc = false
  hasTrace = false
  /** All fields in HPACK, without references to the dynamic table of the caller's connection. */
  bytes = ''
  /** The header as lines of HTTP/1, each with its CRLF. */
  lines = ''

  field(field: HeaderField): void {
    const {name} = field
    this.bytes += field.bytes
    const value = field.value()
    if (name === ':method') this.method = value
    else if (name === ':path') this.path = value
    else if (name === 'traceparent') this.hasTrace = true
    else if (name === 'content-type') this.isGrpc = value.startsWith('application/grpc')
    const shown = name === ':authority' ? 'host' : name
    if (!shown.startsWith(':') && !/[\0\r\n]/.test(value)) this.lines += `${shown}: ${value}\r\n`
  }

  get request(): SentRequest {
    const {method, path, lines} = this
    const text = `${method} ${path} HTTP/2\r\n${lines}\r\n`
    const protocol = this.isGrpc ? 'gRPC' : 'HTTP/2'
    return {protocol, method, path: path.split('?', 1)[0] ?? path, target: path, lines, text, size: text.length}
  }
}
