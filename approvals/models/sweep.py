"""When each sweep last came by: a worker is alive if its sweeps end, not if it runs."""

from __future__ import annotations

from datetime import datetime

from django.db import models


class SweepMarkQuerySet(models.QuerySet["SweepMark"]):
    def finished(self, name: str, *, at: datetime, found: int) -> None:
        SweepMark.objects.update_or_create(name=name, defaults={"finished_at": at, "found": found})

    def latest_end(self) -> datetime | None:
        return self.order_by("-finished_at").values_list("finished_at", flat=True).first()


class SweepMark(models.Model):
    name = models.CharField(max_length=64, primary_key=True)
    finished_at = models.DateTimeField()
    found = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(default=0.0, db_default=0.0)  # how long it took

    objects = SweepMarkQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} at {self.finished_at:%H:%M:%S}"
