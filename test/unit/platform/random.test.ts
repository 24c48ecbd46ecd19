import {execFile} from 'node:child_process'
import {promisify} from 'node:util'
import t from 'tap'

t.test('random bytes come also while no descriptor is left', async t => {
  const script = `
    import {openSync} from 'node:fs'
    import {randomHex} from '${import.meta.resolve('../../../src/platform/random.ts')}'
    const first = randomHex(8)
    try {
      for (;;) openSync('/dev/null')
    } catch {}
    process.exit(randomHex(8) === first ? 1 : 0)`
  const args = ['-c', 'ulimit -n 64 && exec "$0" --input-type=module -e "$1"', process.execPath, script]
  await t.resolves(promisify(execFile)('sh', args))
})
