import {chmodSync, mkdtempSync, renameSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t from 'tap'
import {makeAuthority} from '../certificate.ts'
import {openAuthority, readAuthority} from '../index.ts'

const DAY_MS = 86_400_000

/** Returns the state folder of a user with an authority, and the path of its certificate. */
function stateWithAuthority(): readonly [state: string, path: string] {
  const state = mkdtempSync(join(tmpdir(), 'authority-'))
  openAuthority(state)
  return [state, join(state, 'ca/ca.crt')]
}

/** Returns the refusal of an authority whose certificate was changed in this way; empty: it is accepted. */
const refused = (spoil: (path: string) => void): string => {
  const [state, path] = stateWithAuthority()
  spoil(path)
  try {
    readAuthority(state)
    return ''
  } catch (error) {
    return String(error)
  }
}

t.test('an authority whose files cannot be relied on is refused with the reason', async t => {
  t.match(
    refused(() => undefined),
    /^$/
  )
  t.match(
    refused(path => {
      renameSync(path, `${path}.other`)
      symlinkSync(`${path}.other`, path)
    }),
    /ca\.crt is not a file of its own/
  )
  t.match(
    refused(path => chmodSync(path, 0o666)),
    /ca\.crt is open to other users: chmod 644/
  )
  t.match(
    refused(path => writeFileSync(path, makeAuthority('other').certificate)),
    /do not belong together/
  )
  t.match(
    refused(path => writeFileSync(path, 'no certificate')),
    /cannot be used: ca\.crt has no certificate/
  )
  for (const days of [-4000, 4000]) {
    const {certificate, key} = makeAuthority('of a wrong clock', Date.now() + days * DAY_MS)
    const spoil = (path: string): void => {
      writeFileSync(path, certificate)
      writeFileSync(path.replace('.crt', '.key'), key)
    }
    t.match(refused(spoil), /it is valid from .* to .*: the clock of this machine is or was wrong/)
  }
})
