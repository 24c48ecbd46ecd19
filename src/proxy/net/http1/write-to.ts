import type {ServerResponse} from 'node:http'

/**
 * Writes, and settles when the reader has read it or has left. Uses no `drain`: a response of many small pieces misses it at times (Node
 * 26), and would wait forever.
 */
export const writeTo = async (
  response: ServerResponse,
  text: string,
  encoding: BufferEncoding = 'utf8'
): Promise<void> =>
  new Promise(resolve => {
    response.write(text, encoding, () => resolve())
  })
