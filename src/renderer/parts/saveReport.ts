import type { Args, Host } from "#shared/contract/contract.ts";
import { saveText } from "./download.ts";

/** Lets the studio write a report and saves it as a file. @throws KeystoneError as `report:make` */
export async function saveReport(host: Host, about: Args<"report:make">): Promise<void> {
  const { name, content } = await host.call("report:make", about);
  saveText(name, content);
}
