import t from 'tap'
import {unsetVariables} from '../../../../../src/clients/cli/import-check/obstacle.ts'

t.test('sentences that say that a variable is not set', async t => {
  for (const line of [
    'Error: the environment variable SHOP_KEY is not set',
    'SHOP_KEY is missing',
    'SHOP_KEY is required',
    'SHOP_KEY must be set',
    'SHOP_KEY environment variable must be provided',
    'SHOP_KEY was not given',
    '"SHOP_KEY" is required',
    '`SHOP_KEY` is undefined',
    'SHOP_KEY is unset',
    'SHOP_KEY not set',
    'missing environment variable: SHOP_KEY',
    'Missing required environment variable "SHOP_KEY"',
    "KeyError: 'SHOP_KEY'",
    'key not found: "SHOP_KEY" (KeyError)',
    'environment variable SHOP_KEY not found',
    'could not fetch environment variable "SHOP_KEY" because it is not set',
    'sh: 1: SHOP_KEY: parameter not set',
    'sh: line 1: SHOP_KEY: parameter null or not set',
    'bash: line 1: SHOP_KEY: unbound variable'
  ])
    t.strictSame(unsetVariables(line), ['SHOP_KEY'], line)
  t.strictSame(unsetVariables('Error: PORT is not set'), ['PORT'])
})

t.test('sentences that say something else of a variable', async t => {
  for (const line of [
    'verbose, as LOG_LEVEL is set',
    'LOG_LEVEL was provided: debug',
    'LOG_LEVEL is defined in config.yaml',
    'using the environment variable LOG_LEVEL',
    'the environment variable LOG_LEVEL sets the level',
    'HTTP is required'
  ])
    t.strictSame(unsetVariables(line), [], line)
})
