import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {pages} from '../../docs.js'

t.test('the pages of commands and keys say what the definitions say; else: npm run docs', t => {
  for (const [name, text] of Object.entries(pages()))
    t.equal(readFileSync(join(import.meta.dirname, '../../docs', name), 'utf8'), text, name)
  t.end()
})
