// What the README does with curl, done with a client that a generator made from openapi.yaml. That it compiles proves
// that the contract's types hold together; that it runs, that the service keeps them.
import assert from "node:assert/strict";
import * as api from "./generated";
import { client } from "./generated/client.gen";

let calls = 0;
let key = process.env.ADMIN_KEY;
client.setConfig({ baseUrl: process.env.SERVER, auth: () => key });
client.interceptors.response.use((response) => {
  calls++;
  assert.ok(response.headers.get("x-request-id"), "an answer without X-Request-Id");
  return response;
});

// done is the data of an answer that is no problem.
async function done<T>(call: Promise<{ data?: T; error?: unknown; response?: Response }>): Promise<NonNullable<T>> {
  const { data, error, response } = await call;
  assert.ok(response?.ok, `${response?.url}: ${response?.status} ${JSON.stringify(error)}`);
  return data as NonNullable<T>;
}

// refused is the problem that a call was answered with.
async function refused(call: Promise<{ error?: unknown; response?: Response }>, status: number, code: api.Code): Promise<api.Problem> {
  const { error, response } = await call;
  const problem = error as api.Problem;
  assert.equal(response?.status, status);
  assert.equal(problem.code, code);
  assert.equal(problem.type, "/docs/problems#" + code);
  return problem;
}

async function setUp() {
  const ann = await done(api.createOperator({ body: { name: "Ann", max_load: 5 } }));
  const ben = await done(api.createOperator({ body: { name: "Ben", max_load: 5 } }));
  const chat = await done(api.createSource({ body: { name: "Website chat" } }));
  await done(api.setLink({ path: { id: chat.id, operator_id: ann.id }, body: { weight: 1 } }));
  await done(api.setLink({ path: { id: chat.id, operator_id: ben.id }, body: { weight: 3 } }));
  const next = await done(api.previewSource({ path: { id: chat.id }, body: { n: 4 } }));
  assert.deepEqual(next.items, [ben.id, ann.id, ben.id, ben.id]);
  return { ann, ben, chat };
}

async function contacts({ ann, ben, chat }: Awaited<ReturnType<typeof setUp>>) {
  const order = { headers: { "Idempotency-Key": "e2e/1" }, body: { source_id: chat.id, email: "eve@example.com", text: "Where is my order?" } };
  const first = await done(api.createContact(order));
  assert.equal(first.operator_id, ben.id);
  const again = await api.createContact(order);
  assert.equal(again.response?.status, 200);
  assert.equal(again.response?.headers.get("idempotent-replayed"), "true");
  assert.equal(again.data?.id, first.id);
  assert.equal((await done(api.getDecision({ path: { id: first.id } }))).eligible.length, 2);

  const batch = await done(api.createContacts({ body: [
    { source_id: chat.id, email: "ada@example.org", idempotency_key: "e2e/2" },
    { source_id: 99, email: "ada@example.org" },
  ] }));
  assert.deepEqual(batch.items.map((item) => item.status), [201, 404]);

  assert.equal((await done(api.assignContact({ path: { id: first.id }, body: { operator_id: ann.id } }))).how, "manual");
  assert.equal((await done(api.releaseContact({ path: { id: first.id } }))).operator_id, ben.id);
  assert.equal((await done(api.closeContact({ path: { id: first.id }, body: { reason: "solved" } }))).status, "closed");
  await refused(api.closeContact({ path: { id: first.id } }), 409, "contact_closed");
  assert.equal((await done(api.reopenContact({ path: { id: first.id } }))).how, "sticky");
  const history = await done(api.getHistory({ path: { id: first.id } }));
  assert.ok(history.items.some((step) => step.what === "closed" && step.by === "ops" && step.reason === "solved"));
  return first;
}

async function looks({ ben, chat }: Awaited<ReturnType<typeof setUp>>, first: api.Contact) {
  const links = await done(api.listLinks({ path: { id: chat.id } }));
  assert.deepEqual(links.items.map((link) => link.target_share), [0.25, 0.75]);
  const shares = await done(api.getShares({ path: { id: chat.id }, query: { since: "2026-01-01T00:00:00Z" } }));
  assert.ok(shares.complete && shares.decisions >= 3);
  const page = await done(api.listContacts({ query: { source_id: chat.id, limit: 1 } }));
  const rest = await done(api.listContacts({ query: { source_id: chat.id, after: page.next ?? "" } }));
  assert.equal(page.items.length + rest.items.length, 2);
  const eve = (await done(api.listLeads({ query: { email: "EVE@example.com" } }))).items[0];
  assert.equal(eve.id, first.lead_id);
  assert.equal((await done(api.changeLead({ path: { id: eve.id }, body: { phone: "+1 555 0100" } }))).phone, "+1 555 0100");
  assert.equal((await done(api.getLead({ path: { id: eve.id } }))).name, "");
  assert.equal((await done(api.listLeadContacts({ path: { id: eve.id } }))).items[0].id, first.id);
  assert.equal((await done(api.getOperator({ path: { id: ben.id } }))).state, "active");
  assert.equal((await done(api.listOperators())).items.length, 2);
  assert.equal((await done(api.getSource({ path: { id: chat.id } }))).waiting, 0);
  assert.equal((await done(api.listSources())).next, null);
}

async function problems(chat: api.Source, first: api.Contact) {
  const bad = await refused(api.createOperator({ body: { name: " ", max_load: -1 } }), 422, "invalid");
  assert.deepEqual(bad.errors?.map((e) => e.field), ["name", "max_load"]);
  const taken = await refused(api.createLead({ body: { email: "eve@example.com" } }), 409, "email_taken");
  assert.equal(taken.lead_id, first.lead_id);
  await refused(api.getContact({ path: { id: 99 } }), 404, "contact_not_found");
  await refused(api.deleteSource({ path: { id: chat.id } }), 409, "source_has_live_contacts");
  key = process.env.GATEWAY_KEY;
  await refused(api.listOperators(), 403, "forbidden");
  assert.equal((await done(api.getContact({ path: { id: first.id } }))).id, first.id);
  key = "mcrm_wrong";
  await refused(api.listOperators(), 401, "unauthorized");
  key = process.env.ADMIN_KEY;
}

async function takeDown({ ann, ben, chat }: Awaited<ReturnType<typeof setUp>>, first: api.Contact) {
  assert.equal((await done(api.changeOperator({ path: { id: ben.id }, body: { state: "draining" } }))).active, false);
  assert.equal((await done(api.releaseAll({ path: { id: ben.id } }))).skipped, 0);
  const live = await done(api.listContacts({ query: { operator_id: ann.id } }));
  for (const contact of live.items) await done(api.closeContact({ path: { id: contact.id } }));
  assert.equal((await done(api.eraseLead({ path: { id: first.lead_id } }))).id, first.lead_id);
  await refused(api.getLead({ path: { id: first.lead_id } }), 410, "lead_erased");
  await done(api.takeSnapshot());
  const renamed = await done(api.changeSource({ path: { id: chat.id }, body: { name: "Old chat", backlog: "manual" } }));
  assert.equal(renamed.backlog, "manual");
  const open = await done(api.createContact({ body: { source_id: chat.id, email: "late@example.org" } }));
  await done(api.closeContact({ path: { id: open.id } }));
  for (const operator of [ann, ben]) {
    await api.removeLink({ path: { id: chat.id, operator_id: operator.id } });
    assert.equal((await api.deleteOperator({ path: { id: operator.id } })).response?.status, 204);
  }
  assert.equal((await api.deleteSource({ path: { id: chat.id } })).response?.status, 204);
  assert.equal((await api.getReadiness()).response?.status, 200);
}

async function main() {
  const made = await setUp();
  const first = await contacts(made);
  await looks(made, first);
  await problems(made.chat, first);
  await takeDown(made, first);
  console.log(`${calls} calls of the generated client were answered as the contract says`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
