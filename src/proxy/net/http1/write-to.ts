import type {ServerResponse} from 'node:http'

/**
 * Writes, and settles when the reader has taken it or has left. Node's `drain` is not waited for: a response of many small pieces
 * misses it now and then (Node 26), and would wait forever.
 */
export const writeTo = async (
  response: ServerResponse,
  text: string,
  encoding: BufferEncoding = 'utf8'
): Promise<void> =>
  new Promise(resolve => {
    response.write(text, encoding, () => resolve())
  })
