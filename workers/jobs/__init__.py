"""Every job the workers know, one per file; importing this package registers them."""

from workers.jobs.allocate_waiting_demand import allocate_waiting_demand
from workers.jobs.expire_reservations import expire_reservations
from workers.jobs.ingest_edi_document import ingest_edi_document
from workers.jobs.plan_shipments import plan_shipments
from workers.jobs.purge_history import purge_history
from workers.jobs.raise_purchase_request import raise_purchase_request
from workers.jobs.reconcile_stock import reconcile_stock
from workers.jobs.run_hold_deadlines import run_hold_deadlines
from workers.jobs.seal_ledgers import seal_ledgers
from workers.jobs.send_notices import send_notices
from workers.jobs.send_purchase_order import send_purchase_order
from workers.jobs.sweep_lost_work import sweep_lost_work
from workers.jobs.write_edi_files import write_edi_files

ALL_JOBS = (
    allocate_waiting_demand,
    expire_reservations,
    ingest_edi_document,
    plan_shipments,
    purge_history,
    raise_purchase_request,
    reconcile_stock,
    run_hold_deadlines,
    seal_ledgers,
    send_notices,
    send_purchase_order,
    sweep_lost_work,
    write_edi_files,
)
