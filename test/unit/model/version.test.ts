import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {VERSION} from '../../../src/model/version.ts'

t.test("the version is package.json's", async t => {
  const {version} = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8')) as {
    version: string
  }
  t.equal(VERSION, version)
})
