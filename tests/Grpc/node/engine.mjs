// node engine.mjs <host:port> <key> <definition.json>: drives openwop.v1.Engine, found by reflection alone: stores the workflow, runs
// it, follows its events to the end, reads the snapshot, and asks for a run that does not exist.
// Prints {"services", "created", "status", "events": [names], "snapshot", "stored": <the definition as it came back>, "missing": {code, envelope}}.

import { readFileSync } from 'node:fs';
import grpc from '@grpc/grpc-js';
import { discover } from './discover.mjs';

const [address, key, file] = process.argv.slice(2);
const { services, client } = await discover(address, 'v1', 'openwop.v1.Engine');
const definition = readFileSync(file);
const { id } = JSON.parse(definition);

function metadata() {
  const result = new grpc.Metadata();
  result.set('authorization', `Bearer ${key}`);
  return result;
}

function call(method, request) {
  return new Promise((resolve, reject) => client[method](request, metadata(), (error, answer) => (error ? reject(error) : resolve(answer))));
}

const put = await call('PutWorkflow', { workflow_id: id, definition });
const stored = (await call('GetWorkflow', { workflow_id: id })).json.toString();
const run = await call('CreateRun', { body: Buffer.from(JSON.stringify({ workflowId: id })) });
const events = [];
for await (const frame of client.StreamRunEvents({ run_id: run.run_id, stream_modes: ['debug'] }, metadata())) {
  events.push(frame.event);
}

const snapshot = JSON.parse((await call('GetRun', { run_id: run.run_id })).json);
const missing = await call('GetRun', { run_id: 'run-that-never-was' }).catch((error) => error);
const details = missing.metadata.get('grpc-status-details-bin')[0].toString('latin1');
console.log(
  JSON.stringify({
    services,
    created: put.created,
    status: run.status,
    events,
    snapshot,
    same: stored === definition.toString(),
    missing: { code: missing.code, details: details.includes('openwop.dev/spec/v1/ErrorEnvelope') && details.includes('{"error":"not_found"') },
  }),
);
client.close();
