/// All that an application imports: handlers and the router (`SparqWorker`), topics, error codes and targets (`SparqWire`), statements, transactions and
/// typed rows (`SparqPostgres`).
@_exported public import SparqPostgres
@_exported public import SparqWire
@_exported public import SparqWorker
