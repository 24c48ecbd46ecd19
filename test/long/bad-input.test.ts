import {MISBEHAVIOURS} from '../rig/bad-input.ts'
import {othersGoOn} from './others-go-on.ts'

for (const each of MISBEHAVIOURS) othersGoOn({...each, apps: []}, 100)
