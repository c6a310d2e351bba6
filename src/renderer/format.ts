/** How the window writes numbers; the report writes them the same way. */
export * from "#shared/format.ts";
