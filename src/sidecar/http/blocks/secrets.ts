import type {Reply} from '../../../net/reply.ts'
import {goJson} from '../go-text.ts'
import type {BlockHandler} from './block-request.ts'

// Secrets over HTTP (Dapr: pkg/api/http/secrets.go).

const json = (value: unknown): Reply => ({status: 200, type: 'application/json', body: goJson(value), lines: ''})

export const getSecret: BlockHandler = async ({secrets}, {params: [store = '', name = ''], onGone}) =>
  json(await secrets.get(store, name, onGone))

export const getSecrets: BlockHandler = async ({secrets}, {params: [store = ''], onGone}) =>
  json(await secrets.all(store, onGone))
