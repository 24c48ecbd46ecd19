import {createHash, X509Certificate} from 'node:crypto'
import {existsSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Environment} from '../../model/environment.ts'
import {orElse} from '../../model/or-else.ts'
import {namesInFolder} from '../../platform/paths.ts'
import {findProgram} from '../../platform/program-version.ts'
import {certificatePath} from '../../platform/state-folder.ts'

/** A place on this machine where programs find trusted authorities: of the system, or of a browser. */
export interface TrustStore {
  /** Name for people. */
  readonly name: string
  /** Whether only root may change it. */
  readonly needsRoot: boolean
  /** The tool that changes the store, if it is missing; '': it is installed. */
  readonly lacks: string
  /** Commands that add an authority with this certificate, as PEM. */
  readonly add: (certificate: string) => Commands
  readonly remove: (certificate: string) => Commands
}

export type Commands = readonly (readonly string[])[]

export interface StorePlace {
  readonly env: Environment
  readonly home: string
  readonly state: string
  readonly platform: NodeJS.Platform
}

/** For each family of Linux: its tool, the folder of added certificates, and the command that reads the folder. */
const LINUX: readonly (readonly [tool: string, folder: string, update: readonly string[]])[] = [
  ['update-ca-trust', '/etc/pki/ca-trust/source/anchors', ['update-ca-trust', 'extract']], // Fedora, RHEL
  ['update-ca-certificates', '/etc/pki/trust/anchors', ['update-ca-certificates']], // SUSE
  ['update-ca-certificates', '/usr/local/share/ca-certificates', ['update-ca-certificates']], // Debian, Ubuntu
  ['trust', '/etc/ca-certificates/trust-source/anchors', ['trust', 'extract-compat']] // Arch
]

/** Folders of NSS databases in a home: Chrome, before and since version 146, and its snap. */
const CHROME = ['.pki/nssdb', '.local/share/pki/nssdb', 'snap/chromium/current/.pki/nssdb']
/** Folders with one NSS database for each profile of Firefox. */
const FIREFOX = [
  '.mozilla/firefox',
  'snap/firefox/common/.mozilla/firefox',
  'Library/Application Support/Firefox/Profiles'
]

/** Finds the trust stores of this machine and user. */
export function trustStores(place: StorePlace): readonly TrustStore[] {
  const lacks = has(place, 'certutil') ? '' : 'certutil (libnss3-tools, nss-tools)'
  return [...systemStores(place), ...databasesIn(place.home).map(folder => ({...nssStore(folder, place), lacks}))]
}

const has = ({env}: StorePlace, tool: string): boolean => findProgram(tool, env['PATH'] ?? '') !== undefined

function systemStores(place: StorePlace): readonly TrustStore[] {
  const {state, home, platform} = place
  const path = certificatePath(state)
  if (platform === 'darwin') {
    const keychain = join(home, 'Library/Keychains/login.keychain-db')
    return [
      {
        name: 'login keychain',
        needsRoot: false,
        lacks: '',
        add: () => [['security', 'add-trusted-cert', '-r', 'trustRoot', '-k', keychain, path]],
        remove: certificate => [['security', 'delete-certificate', '-Z', hashOf(certificate), '-t', keychain]]
      }
    ]
  }
  const found = LINUX.find(([tool, folder]) => has(place, tool) && existsSync(folder))
  if (found === undefined) return []
  const [, folder, update] = found
  const copyOf = (certificate: string): string => join(folder, `pillion-${markOf(certificate)}.crt`)
  return [
    {
      name: `system (${folder})`,
      needsRoot: true,
      lacks: '',
      add: certificate => [['install', '-m', '644', path, copyOf(certificate)], update],
      remove: certificate => [['rm', '-f', copyOf(certificate)], update]
    }
  ]
}

const hashOf = (certificate: string): string => new X509Certificate(certificate).fingerprint.replaceAll(':', '')

function databasesIn(home: string): readonly string[] {
  const profiles = FIREFOX.flatMap(folder => namesInFolder(join(home, folder)).map(name => join(home, folder, name)))
  return [...CHROME.map(folder => join(home, folder)), ...profiles].filter(each => existsSync(join(each, 'cert9.db')))
}

function nssStore(folder: string, {state}: StorePlace): Omit<TrustStore, 'lacks'> {
  const database = `sql:${folder}`
  return {
    name: folder,
    needsRoot: false,
    add: certificate => [
      ['certutil', '-A', '-d', database, '-t', 'C,,', '-n', nameOf(certificate), '-i', certificatePath(state)]
    ],
    remove: certificate => [['certutil', '-D', '-d', database, '-n', nameOf(certificate)]]
  }
}

const nameOf = (certificate: string): string => `Pillion CA ${markOf(certificate)}`

/** Returns eight digits that identify an authority among those of other machines and users. */
const markOf = (certificate: string): string => createHash('sha256').update(certificate).digest('hex').slice(0, 8)

/** A trust store to which the authority was added, and the commands that remove the authority. */
export interface Added {
  readonly name: string
  readonly needsRoot: boolean
  readonly remove: Commands
}

const addedPath = (state: string): string => join(state, 'ca-added.json')

/** Reads the list of stores to which the authority was added. */
export const readAdded = (state: string): readonly Added[] =>
  orElse(() => JSON.parse(readFileSync(addedPath(state), 'utf8')) as readonly Added[], [])

/** Stores the list of stores that have the authority, so that `trust --remove` cleans exactly these, also after a failed removal. */
export function writeAdded(state: string, all: readonly Added[]): void {
  if (all.length === 0) rmSync(addedPath(state), {force: true})
  else writeFileSync(addedPath(state), JSON.stringify(all))
}
