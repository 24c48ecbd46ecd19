import {createDecipheriv, createHmac, createPrivateKey, hkdfSync, privateDecrypt} from 'node:crypto'

/**
 * Opens an encrypted document of Dapr by what its specification says, and by nothing of ours. `key`: the bytes of a symmetric
 * key, or a private one as PEM.
 */
export function openDocument(
  document: Buffer,
  key: Buffer | string
): {readonly plain: Buffer; readonly manifest: object} {
  const ends = [...document.subarray(0, 65_536).entries()].filter(([, byte]) => byte === 10).map(([at]) => at)
  const [first = 0, second = 0, third = 0] = ends
  const manifest = JSON.parse(document.subarray(first + 1, second).toString()) as Record<string, string & number>
  const {wfk = '', np = '', kw, cph} = manifest
  const wrapped = Buffer.from(wfk, 'base64')
  const unwrap = (): Buffer => {
    if (kw === 5) return privateDecrypt({key: createPrivateKey(key), oaepHash: 'sha256'}, wrapped)
    const decipher = createDecipheriv('id-aes256-wrap', key, Buffer.alloc(8, 0xa6))
    return Buffer.concat([decipher.update(wrapped), decipher.final()])
  }
  const fileKey = unwrap()
  const derive = (salt: Buffer, info: string): Buffer => Buffer.from(hkdfSync('sha256', fileKey, salt, info, 32))
  const mac = createHmac('sha256', derive(Buffer.alloc(0), 'header')).update(document.subarray(0, second + 1))
  if (mac.digest('base64') !== document.subarray(second + 1, third).toString()) throw new Error('wrong MAC')
  const prefix = Buffer.from(np, 'base64')
  const segmentKey = derive(prefix, 'payload')
  const plain: Buffer[] = []
  const payload = document.subarray(third + 1)
  for (let at = 0, number = 0; at < payload.length; at += 65_552, number++) {
    const segment = payload.subarray(at, at + 65_552)
    const nonce = Buffer.concat([prefix, Buffer.alloc(5)])
    nonce.writeUInt32BE(number, 7)
    nonce[11] = at + 65_552 >= payload.length ? 1 : 0
    const name = cph === 1 ? 'aes-256-gcm' : 'chacha20-poly1305'
    const decipher = createDecipheriv(name as 'aes-256-gcm', segmentKey, nonce, {authTagLength: 16})
    decipher.setAuthTag(segment.subarray(-16))
    plain.push(decipher.update(segment.subarray(0, -16)), decipher.final())
  }
  return {plain: Buffer.concat(plain), manifest}
}
