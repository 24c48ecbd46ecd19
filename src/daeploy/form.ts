/** One field of a form. */
export interface FormPart {
  readonly name: string
  /** It came as a file. */
  readonly isFile: boolean
  readonly bytes: Buffer
}

const LINE_END = '\r\n'

/** Reads a whole `multipart/form-data` body (RFC 7578). Throws for what is none. */
export function readForm(contentType: string, body: Buffer): readonly FormPart[] {
  const [, quoted, bare] = /^multipart\/form-data\s*;.*\bboundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType) ?? []
  const boundary = quoted ?? bare
  if (boundary === undefined) throw new Error('it is no multipart/form-data')
  const parts: FormPart[] = []
  const fence = Buffer.from(`${LINE_END}--${boundary}`)
  let at = body.indexOf(fence.subarray(LINE_END.length))
  if (at !== 0) at = body.indexOf(fence)
  if (at < 0) throw new Error('its boundary is missing')
  at += at === 0 ? fence.length - LINE_END.length : fence.length
  for (;;) {
    if (body.toString('latin1', at, at + 2) === '--') return parts
    const head = body.indexOf(LINE_END, at) + LINE_END.length
    const start = body.indexOf(LINE_END + LINE_END, head - LINE_END.length)
    const end = start < 0 ? -1 : body.indexOf(fence, start + LINE_END.length)
    if (end < 0) throw new Error('it is cut off')
    parts.push(partOf(body.toString('utf8', head, start), body.subarray(start + 2 * LINE_END.length, end)))
    at = end + fence.length
  }
}

function partOf(head: string, bytes: Buffer): FormPart {
  const disposition = /^content-disposition:(.*)$/im.exec(head)?.[1] ?? ''
  const name = /;\s*name="([^"]*)"/i.exec(disposition)?.[1] ?? ''
  return {name, isFile: /;\s*filename\*?=/i.test(disposition), bytes}
}
