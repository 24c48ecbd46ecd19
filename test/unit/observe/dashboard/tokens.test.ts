import {chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t from 'tap'
import {accessOf, readKey, tokensFor} from '../../../../src/observe/dashboard/tokens.ts'

t.test('the key of the user is made once, for nobody else to read', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'key-'))
  t.teardown(() => rmSync(folder, {recursive: true}))
  const key = readKey(folder)
  t.equal(key.length, 32)
  t.same(readKey(folder), key)
  t.same(readdirSync(folder), ['dashboard.key'])
  const path = join(folder, 'dashboard.key')
  t.equal(statSync(path).mode & 0o777, 0o600)
  chmodSync(path, 0o644)
  t.throws(() => readKey(folder), /is not a key for the dashboard/, 'others can read it')
  chmodSync(path, 0o600)
  writeFileSync(path, 'short')
  t.throws(() => readKey(folder), /is not a key for the dashboard/)
})

t.test('a token is for one template, and for all or for looking', async t => {
  const key = Buffer.alloc(32, 7)
  const shop = tokensFor(key, '/work/shop/dapr.yaml')
  t.same(tokensFor(key, '/work/shop/dapr.yaml'), shop)
  t.equal(accessOf(shop.full, shop), 'full')
  t.equal(accessOf(shop.readOnly, shop), 'read-only')
  const others = [
    tokensFor(key, '/work/stock/dapr.yaml').full,
    tokensFor(Buffer.alloc(32, 8), '/work/shop/dapr.yaml').full
  ]
  for (const token of [...others, '', shop.full.slice(1), `${shop.full}x`]) t.equal(accessOf(token, shop), '')
})
