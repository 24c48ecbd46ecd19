import {mkdtempSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t from 'tap'
import {EntrancePorts} from '../../../src/run/entrance-ports.ts'

t.test('an address has no number only where the entrance listens at the usual one', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'entrance-'))
  t.equal(new EntrancePorts({}).suffix('http', folder), ':7355')
  t.equal(new EntrancePorts({PILLION_NAMES_PORT: '4000'}).suffix('http', folder), ':4000')
  const asked = new EntrancePorts({PILLION_NAMES_PORT: '4000,80,443'})
  t.equal(asked.suffix('https', folder), ':4000', 'no run has the port')
  t.strictSame(asked.facts, {})
})
