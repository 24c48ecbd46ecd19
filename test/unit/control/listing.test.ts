import t from 'tap'
import {readListing} from '../../../src/control/listing.ts'

t.test('missing keys and wrong types get empty values; unknown keys are dropped', async t => {
  t.same(readListing('{}'), {
    version: '?',
    run: '',
    pid: 0,
    startedAt: 0,
    templateFile: '',
    templateName: '',
    folder: '',
    isTemplateFollowed: true,
    apps: []
  })
  t.match(readListing('{"pid": "7", "apps": {"a": 1}, "version": "9.0.0"}'), {pid: 0, apps: [], version: '9.0.0'})
  const {apps} = readListing('{"apps": [{"appId": "a", "colour": "red"}, null]}')
  t.equal(apps.length, 2)
  t.notOk('colour' in (apps[0] ?? {}))
  t.equal(apps[0]?.appId, 'a')
  t.equal(apps[1]?.appId, '')
  t.equal(readListing('null').version, '?')
})
