import {ATTACKS} from '../rig/attacks.ts'
import {othersGoOn} from './others-go-on.ts'

for (const attack of ATTACKS) othersGoOn(attack, 10)
