import {X509Certificate} from 'node:crypto'
import {mkdtempSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t from 'tap'
import {openAuthority} from '#trust'
import {NameCertificates} from '../../../src/run/name-certificates.ts'

const DAY_MS = 86_400_000

t.test('certificates of a run are valid again once a wrong clock is right', async t => {
  const home = mkdtempSync(join(tmpdir(), 'state-'))
  openAuthority(join(home, 'pillion'))
  const certificates = new NameCertificates({XDG_STATE_HOME: home}, text => t.fail(text))
  const validFrom = (): number => {
    const {context} = certificates.of('web.localhost') as {readonly context: {getCertificate(): Buffer}}
    return Date.parse(new X509Certificate(context.getCertificate()).validFrom)
  }
  const now = Date.now()
  t.intercept(Date, 'now', {value: () => now + 30 * DAY_MS})
  t.ok(validFrom() > now)
  t.intercept(Date, 'now', {value: () => now})
  t.ok(validFrom() < now)
})
