import type {ServerResponse} from 'node:http'

/** Writes text, and settles when the reader has received it or disconnected. (After many small pieces, Node 26 sometimes emits no `drain`.) */
export const writeTo = async (
  response: ServerResponse,
  text: string,
  encoding: BufferEncoding = 'utf8'
): Promise<void> =>
  new Promise(resolve => {
    response.write(text, encoding, () => resolve())
  })
