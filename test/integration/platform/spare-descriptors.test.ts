import {execFileSync} from 'node:child_process'
import {join} from 'node:path'
import {test} from 'tap'

const MODULE = join(import.meta.dirname, '../../../src/platform/spare-descriptors.ts')

test('the limit of the process, with and without /proc', async t => {
  const hide = `const fs = require('node:fs'), {readFileSync} = fs
    fs.readFileSync = (path, ...more) => {
      if (String(path).startsWith('/proc')) throw new Error('no /proc')
      return readFileSync(path, ...more)
    }
    require('node:module').syncBuiltinESMExports();`
  for (const before of ['', hide]) {
    const script = `${before} import(${JSON.stringify(MODULE)}).then(({maxDescriptors}) => console.log(maxDescriptors()))`
    const command = `ulimit -n 300; exec "$0" -e "$1"`
    const output = execFileSync('/bin/sh', ['-c', command, process.execPath, script], {encoding: 'utf8'})
    t.equal(output.trim(), '300', before)
  }
})
