import {createPrivateKey, X509Certificate} from 'node:crypto'
import {existsSync, lstatSync, readFileSync, rmSync} from 'node:fs'
import {hostname, userInfo} from 'node:os'
import {join} from 'node:path'
import {messageOf, UserError} from '../../model/errors.ts'
import {makeFolder, writeWhole} from '../../platform/make-folder.ts'
import {certificatePath} from '../../platform/state-folder.ts'
import {makeAuthority, makeLeaf, type Issuer, type KeyPair} from './certificate.ts'

/** A certificate authority, which signs certificates of host names. */
export interface Authority {
  /** Its certificate as PEM. */
  readonly certificate: string
  /** Its name, by which trust stores list it. */
  readonly name: string
  /** Makes a certificate for a host name, followed by the authority's own. */
  leaf(host: string): KeyPair
}

const keyPath = (state: string): string => join(state, 'ca', 'ca.key')

/** Whether this user has an authority. */
export const hasAuthority = (state: string): boolean => existsSync(certificatePath(state))

/** Reads the authority of a state folder, if there is one. Throws a `UserError` for files that must not be trusted. */
export function readAuthority(state: string): Authority | undefined {
  const path = certificatePath(state)
  if (!hasAuthority(state)) return undefined
  try {
    for (const each of [path, keyPath(state)]) checkFile(each)
    return authorityOf({certificate: readFileSync(path, 'utf8'), key: readFileSync(keyPath(state), 'utf8')})
  } catch (error) {
    throw new UserError(`the certificate authority in ${join(state, 'ca')} cannot be used: ${messageOf(error)}`, {
      explanation: 'pillion trust --remove, then pillion trust, makes another one.'
    })
  }
}

/** Reads the authority of a state folder, or makes it. Throws a `UserError` as `readAuthority`, and if the folder cannot be written. */
export function openAuthority(state: string): Authority {
  const known = readAuthority(state)
  if (known !== undefined) return known
  const made = makeAuthority(`Pillion CA of ${userInfo().username}@${hostname()}`)
  try {
    makeFolder(join(state, 'ca'), 0o700)
    writeWhole(keyPath(state), made.key, 0o600)
    writeWhole(certificatePath(state), made.certificate, 0o644)
  } catch (error) {
    throw new UserError(`the certificate authority cannot be written: ${messageOf(error)}`, {
      explanation: 'XDG_STATE_HOME chooses another folder for it.'
    })
  }
  return authorityOf(made)
}

/** Makes an authority in memory, which no client trusts. */
export const temporaryAuthority = (): Authority => authorityOf(makeAuthority('Pillion CA without trust'))

/** Deletes the authority of a state folder. */
export const removeAuthority = (state: string): void => rmSync(join(state, 'ca'), {recursive: true, force: true})

function authorityOf({certificate, key}: KeyPair): Authority {
  if (!certificate.includes('-----BEGIN CERTIFICATE-----')) throw new Error('ca.crt has no certificate')
  const [own, signing] = [new X509Certificate(certificate), createPrivateKey(key)]
  const name = /^CN=(.+)$/m.exec(own.subject)?.[1] ?? ''
  if (!own.ca || !own.checkPrivateKey(signing)) throw new Error('key and certificate do not belong together')
  const [from, to] = [Date.parse(own.validFrom), Date.parse(own.validTo)]
  if (Date.now() < from || Date.now() > to)
    throw new Error(`it is valid from ${own.validFrom} to ${own.validTo}: the clock of this machine is or was wrong`)
  const issuer: Issuer = {name, key: signing, publicKey: own.publicKey}
  return {
    certificate,
    name,
    leaf: host => {
      const leaf = makeLeaf(issuer, host)
      return {certificate: leaf.certificate + certificate, key: leaf.key}
    }
  }
}

/** Refuses a file that another user could change or, if it is the key, read. */
function checkFile(path: string): void {
  const found = lstatSync(path)
  if (!found.isFile()) throw new Error(`${path} is not a file of its own`)
  if (found.uid !== userInfo().uid) throw new Error(`${path} belongs to another user`)
  const [open, mode] = path.endsWith('.key') ? [0o077, 600] : [0o022, 644]
  if ((found.mode & open) !== 0) throw new Error(`${path} is open to other users: chmod ${mode} ${path}`)
}
