/** A member of an archive; `type` as in ustar, `'0'` is a file. */
export interface Member {
  readonly name: string
  readonly type?: string
  readonly text?: string
  readonly mode?: string
  readonly link?: string
}

/** A tar archive, written without our code and without the library that we read it with. */
export const tarOf = (...members: readonly Member[]): Buffer =>
  Buffer.concat([...members.map(memberOf), Buffer.alloc(1024)])

function memberOf({name, type = '0', text = '', mode = '0000644', link = ''}: Member): Buffer {
  const head = Buffer.alloc(512)
  head.write(name, 0)
  head.write(`${mode}\0`, 100)
  head.write(`${Buffer.byteLength(text).toString(8).padStart(11, '0')}\0`, 124)
  head.write('        ', 148)
  head.write(type, 156)
  head.write(link, 157)
  head.write('ustar\x0000', 257)
  const sum = head.reduce((a, b) => a + b, 0)
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  const body = Buffer.alloc(Math.ceil(Buffer.byteLength(text) / 512) * 512)
  body.write(text)
  return Buffer.concat([head, body])
}
